// Requests that wait for an answer which never comes: each leaves a goroutine behind.
package main

import (
	"net/http"
	"runtime"
	"time"

	"expvar"
)

func main() {
	expvar.Publish("goroutines", expvar.Func(func() any { return runtime.NumGoroutine() }))
	http.HandleFunc("/tutorial", tutorial)
	never := make(chan int)
	go func() {
		for ; ; time.Sleep(10 * time.Millisecond) {
			go func() {
				request := written(2048)
				<-never
				request[0]++
			}()
			_ = written(100 << 10)
		}
	}()
	serve()
}
