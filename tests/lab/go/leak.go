// A cache without a bound: small objects that are never let go, next to ordinary garbage.
package main

import (
	_ "expvar"
	"fmt"
	"time"
)

type session struct {
	name string
	data []byte
}

var sessions = map[int]*session{}

func main() {
	go func() {
		for n := 0; ; time.Sleep(20 * time.Millisecond) {
			for i := 0; i < 160; i, n = i+1, n+1 {
				sessions[n] = &session{fmt.Sprint("session ", n), written(512)}
			}
			_ = written(400 << 10)
		}
	}()
	serve()
}
