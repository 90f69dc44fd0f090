// Command load is what the pods of the cluster test run, and the pause container
// below them: without an argument it waits for its end. With "burn" it uses a
// fifth of a core and 64 MiB meanwhile, with "serve" it has the metrics of a vLLM
// server on port 8000, and with "fail" it fails. With any other it is done.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	if len(os.Args) < 2 {
		<-end
		return
	}
	switch os.Args[1] {
	case "burn":
		held := make([]byte, 64<<20)
		for i := range held {
			held[i] = byte(i)
		}
		for range time.Tick(100 * time.Millisecond) {
			for start := time.Now(); time.Since(start) < 20*time.Millisecond; {
			}
			select {
			case <-end:
				runtime.KeepAlive(held)
				return
			default:
			}
		}
	case "serve":
		http.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, `vllm:num_requests_running{model_name="Qwen/Qwen3-8B"} 3`)
		})
		go func() { log.Fatal(http.ListenAndServe(":8000", nil)) }()
		<-end
	case "fail":
		os.Exit(3)
	}
}
