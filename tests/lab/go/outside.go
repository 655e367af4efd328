// A heap that is fine, and memory beside it that grows: mapped by the program itself, as cgo libraries do.
package main

import (
	_ "expvar"
	"log"
	"syscall"
	"time"
)

func main() {
	go func() {
		for ; ; time.Sleep(100 * time.Millisecond) {
			block, err := syscall.Mmap(-1, 0, 256<<10, syscall.PROT_READ|syscall.PROT_WRITE,
				syscall.MAP_ANON|syscall.MAP_PRIVATE)
			if err != nil {
				log.Fatal(err)
			}
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			_ = written(200 << 10)
		}
	}()
	serve()
}
