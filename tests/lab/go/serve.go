// What every service here shares: it listens on a free port of the loopback and says which, as "PORT n".
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"runtime"
)

// serve answers on 127.0.0.1 until the process is ended.
func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("PORT", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, nil))
}

// written gives a block whose every page has been touched.
func written(size int) []byte {
	block := make([]byte, size)
	for i := 0; i < size; i += 4096 {
		block[i] = byte(i)
	}
	return block
}

func mb(bytes uint64) float64 { return float64(bytes) / 1024 / 1024 }

// tutorial is the handler that introductions show: plain text, MB that are MiB, PauseTotalNs in ms.
func tutorial(w http.ResponseWriter, _ *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(w, "HeapAlloc: %.2f MB\n", mb(m.HeapAlloc))
	fmt.Fprintf(w, "HeapSys: %.2f MB\n", mb(m.HeapSys))
	fmt.Fprintf(w, "HeapIdle: %.2f MB\n", mb(m.HeapIdle))
	fmt.Fprintf(w, "HeapInuse: %.2f MB\n", mb(m.HeapInuse))
	fmt.Fprintf(w, "HeapObjects: %d\n", m.HeapObjects)
	fmt.Fprintf(w, "StackInuse: %.2f MB\n", mb(m.StackInuse))
	fmt.Fprintf(w, "Goroutine%d\n", runtime.NumGoroutine())
	fmt.Fprintf(w, "NumGC: %d\n", m.NumGC)
	fmt.Fprintf(w, "PauseTotalNs:%.2f ms\n", float64(m.PauseTotalNs)/1e6)
}
