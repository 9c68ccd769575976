package main

//go:generate go run ../internal/cmd/regenerate -I . -I ../proto/options greeter/v1/greeter.proto
