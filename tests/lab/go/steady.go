// A healthy service: a bounded cache, filled at the start, and a little garbage.
package main

import (
	_ "expvar"
	"time"
)

func main() {
	cache := make([][]byte, 400)
	for i := range cache {
		cache[i] = written(64 << 10)
	}
	go func() {
		for n := 0; ; time.Sleep(20 * time.Millisecond) {
			cache[n%len(cache)] = written(64 << 10)
			for i := 0; i < 3; i, n = i+1, n+1 {
				_ = append([]byte(nil), cache[(n*7)%len(cache)]...)
			}
		}
	}()
	serve()
}
