// 300 MiB written, held for some seconds, let go: is it given back? Run it under both GODEBUG=madvdontneed.
package main

import (
	_ "expvar"
	"runtime"
	"time"
)

var held [][]byte

func main() {
	for i := 0; i < 300; i++ {
		held = append(held, written(1<<20))
	}
	go func() {
		time.Sleep(6 * time.Second)
		held = append([][]byte(nil), held[:20]...)
		runtime.GC()
		for ; ; time.Sleep(20 * time.Millisecond) {
			_ = written(1 << 20)
		}
	}()
	serve()
}
