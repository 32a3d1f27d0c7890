# Everything here is one command; CI runs them all through .ci/run.
.PHONY: build test race fuzz chaos bench bench-contacts bench-http docs demo clients console-test deploy-test image

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

build:   ## a static binary in dist/
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X v3gate/internal/gateway.version=$(VERSION)" -o dist/gateway ./cmd/gateway

test:    ## the README's second command
	go test ./...

race:
	go test -race ./...

fuzz:    ## what reads strangers' input, for a bounded time
	go test ./internal/xmlrpc -run '^$$' -fuzz FuzzDecode -fuzztime 30s
	go test ./internal/query -run '^$$' -fuzz FuzzQuery -fuzztime 30s
	go test ./internal/zones -run '^$$' -fuzz FuzzParse -fuzztime 30s
	go test ./internal/zones -run '^$$' -fuzz FuzzValue -fuzztime 30s
	go test ./internal/zones -run '^$$' -fuzz FuzzFilters -fuzztime 30s

chaos:   ## random sessions against a failing v5, for five minutes
	go test ./internal/gateway -run 'TestChaos$$' -chaos.for 5m -timeout 10m -v

bench:   ## codecs, store and lists beside their peers, in one run each
	go test -run '^$$' -bench . ./internal/xmlrpc ./internal/store ./internal/query
	go test -run '^$$' -bench BenchmarkLargeZone -benchtime 20x ./internal/gateway

bench-contacts: ## an update of a contact that 10,000 domains use, a minute
	go test -run '^$$' -bench ContactUpdate -benchtime 1x ./internal/gateway

bench-http: ## the whole gateway beside its peers, two minutes; ARGS="-rounds 7 -connections 64"
	test/bench/run.sh $(ARGS)

docs:    ## regenerate docs/ and what the gateway produces in the fixtures
	go test ./internal/gateway -update

demo:    ## the README's first command
	go run ./cmd/gateway demo

clients: ## a session of stock XML-RPC clients, installed as needed
	test/clients/run.sh

console-test: ## the console in a browser, installed as needed; ARGS="--screenshots DIR" keeps pictures
	test/console/run.sh $(ARGS)

deploy-test: ## what is shipped and docs/operations.md, as root on Debian; ARGS="boot walk"
	deploy/test.sh $(ARGS)

image:
	docker build -f deploy/Dockerfile -t v3gate:$(VERSION) .
