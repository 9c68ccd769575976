// Package test runs whole projects: one of a user, with names and headers of its own, and the compilers
// that users have.
package test

//go:generate go run ../internal/cmd/regenerate -module example.com/warehouse -out foreign -I foreign/proto -I ../proto/options acme/inventory/v1/stock.proto acme/inventory/v1/audit.proto acme/inventory/v1/reports/daily/report.proto

// The bank, a module of its own because of what it needs, is generated like the greeter, below example.
//go:generate go run ../internal/cmd/regenerate -I ../example -I ../proto/options bank/v1/bank.proto

// Of grpc's own test service, only the rules: its messages are in grpc's Go packages.
//go:generate go run ../internal/cmd/regenerate -rules-only -I transparency -I ../proto/options credentials/test.proto
//go:generate go run ../internal/cmd/regenerate -rules-only -I transparency -I ../proto/options literal/test.proto
