// Much garbage and a live heap that stays: allocation pressure, no leak. Where HELD and RATE are set, in MiB and MiB/s.
package main

import (
	_ "expvar"
	"os"
	"strconv"
	"time"
)

func setting(name string, otherwise int) int {
	if value, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return value
	}
	return otherwise
}

var sink []byte

func main() {
	held := make([][]byte, 0)
	for i := 0; i < setting("HELD", 64); i++ {
		held = append(held, written(1<<20))
	}
	rate := setting("RATE", 200)
	go func() {
		for n := 0; ; time.Sleep(10 * time.Millisecond) {
			for i := 0; i < rate*1024/64/100; i, n = i+1, n+1 {
				sink = written(64 << 10)
			}
			held[n%len(held)][0]++
		}
	}()
	serve()
}
