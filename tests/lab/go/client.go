// client_golang's own metrics, on a service with a bounded cache.
package main

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func main() {
	http.Handle("/metrics", promhttp.Handler())
	cache := make([][]byte, 300)
	go func() {
		for n := 0; ; time.Sleep(5 * time.Millisecond) {
			for i := 0; i < 4; i, n = i+1, n+1 {
				cache[n%len(cache)] = written(64 << 10)
			}
		}
	}()
	serve()
}
