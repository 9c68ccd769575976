package main

//go:generate go run -C .. ./internal/cmd/regenerate -I . -I proto/options bench/v1/bench.proto
//go:generate go run ./internal/cmd/many
