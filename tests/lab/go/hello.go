// The smallest program, to be built in many ways.
package main

func main() { println("hello") }
