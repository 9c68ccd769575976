# Everything here is a shortcut; .ci/run does not depend on it.

BUF ?= buf
# golangci-lint as tools/go.mod pins it: `make tools` builds it, .ci/run caches it.
BIN ?= $(CURDIR)/bin

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: generate
generate: ## rewrite the committed generated code, with nothing but Go
	go generate ./...
	cd bench && go generate ./...

.PHONY: test
test: ## run the tests; those that need protoc or buf are skipped where these are missing
	go test ./...

.PHONY: race
race: ## run the tests under the race detector
	go test -race ./...

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (default 5m)
	.ci/fuzz $(or $(FUZZTIME),5m)

.PHONY: coverage
coverage: ## run the tests, print the coverage, fail where it is too low
	.ci/coverage

.PHONY: mutate
mutate: ## change the code that decides, fault by fault, and see which ones no test notices (minutes)
	go run ./internal/cmd/mutate

.PHONY: guards
guards: ## remove each guard of the threat model in a copy, and rewrite docs/threat-guards.txt (minutes)
	go run ./internal/cmd/guards -write

.PHONY: tools
tools: $(BIN)/golangci-lint ## build golangci-lint into ./bin

$(BIN)/golangci-lint: tools/go.mod
	cd tools && go build -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: lint
lint: tools ## golangci-lint, and buf lint if buf is there
	$(BIN)/golangci-lint run ./...
	@if command -v $(BUF) >/dev/null; then $(BUF) lint; else echo "buf is missing: .proto files not linted"; fi

.PHONY: interop
interop: ## install clients and servers that others wrote, and call between them and ours
	@interop/run

.PHONY: browser
browser: ## install Chromium, and call ours from a page, with Connect, gRPC-Web and CORS
	@interop/browser/run

.PHONY: demo
demo: ## regenerate the greeter and show it refusing and accepting calls
	go generate ./example && go run ./example

.PHONY: bench
bench: ## measure what a check costs, beside other systems, and judge it by the targets (minutes)
	cd bench && go run .

.PHONY: bench-short
bench-short: ## the same with few rounds, to see that everything can still be measured
	cd bench && go run . -short

.PHONY: check
check: ## all that CI does
	.ci/run
