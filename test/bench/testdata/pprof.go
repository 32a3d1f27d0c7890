package main

import (
	"net/http"
	_ "net/http/pprof"
	"os"
)

// It is compiled into the gateway by test/bench/run.sh -profiles alone.
func init() {
	if address := os.Getenv("BENCH_PPROF"); address != "" {
		go http.ListenAndServe(address, nil)
	}
}
