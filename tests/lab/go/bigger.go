// As many objects as ever, each larger than before: buffers that are appended to and never cut.
package main

import (
	_ "expvar"
	"time"
)

func main() {
	logs := make([][]byte, 200)
	go func() {
		for ; ; time.Sleep(50 * time.Millisecond) {
			for i := range logs {
				logs[i] = append(logs[i], written(1024)...)
			}
		}
	}()
	serve()
}
