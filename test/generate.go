// Package test runs whole projects: one of a user, with names and headers of its own, and the compilers
// that users have.
package test

//go:generate go run ../internal/cmd/regenerate -module example.com/warehouse -out foreign -I foreign/proto -I ../proto/options acme/inventory/v1/stock.proto acme/inventory/v1/audit.proto acme/inventory/v1/reports/daily/report.proto
