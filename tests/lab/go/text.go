// The handler of the tutorials, on a service that leaks a little.
package main

import (
	"net/http"
	"time"
)

var kept [][]byte

func main() {
	http.HandleFunc("/metrics", tutorial)
	go func() {
		for ; ; time.Sleep(10 * time.Millisecond) {
			for i := 0; i < 40; i++ {
				kept = append(kept, written(1024))
			}
			_ = written(300 << 10)
		}
	}()
	serve()
}
