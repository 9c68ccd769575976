package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkLint lints 1,000 services of 20 methods with users' buf: with its own STANDARD category, with GRPCAUTH,
// and with both. Each iteration runs the three in turn, so that they share the machine's moods. What counts are the
// medians as ratios to STANDARD's:
//
//	go test -run '^$' -bench Lint -benchtime 10x .
func BenchmarkLint(b *testing.B) {
	const files, services, methods = 100, 10, 20
	protos := b.TempDir()
	for i := range files {
		write(b, filepath.Join(protos, fmt.Sprintf("acme/s%d/v1/s%d.proto", i, i)), manyServices(i, services, methods))
	}
	root := workspace(b, protos, nil)
	categories := map[string]string{"standard": "STANDARD", "grpcauth": "GRPCAUTH", "both": "STANDARD, GRPCAUTH"}
	seconds := map[string][]float64{}
	for b.Loop() {
		for _, name := range []string{"standard", "grpcauth", "both"} {
			config := "version: v2\nmodules:\n  - path: proto\n  - path: third_party/grpcauth\nlint:\n  use: [" +
				categories[name] + "]\n"
			if name != "standard" {
				config += "plugins:\n  - plugin: " + program(b) + "\n"
			}
			write(b, filepath.Join(root, "buf.yaml"), config)
			began := time.Now()
			stdout, stderr, status := run(b, root, "lint", "proto")
			seconds[name] = append(seconds[name], time.Since(began).Seconds())
			if status != 0 {
				b.Fatalf("%s: exit status %d\n%.1000s%s", name, status, stdout, stderr)
			}
		}
	}
	standard := median(seconds["standard"])
	b.ReportMetric(median(seconds["grpcauth"])/standard, "grpcauth/standard")
	b.ReportMetric(median(seconds["both"])/standard, "both/standard")
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// manyServices writes a file in which nothing is wrong, with rules of all kinds at two levels.
func manyServices(file, services, methods int) string {
	rules := []string{
		"    option (grpcauth.v1.method).headers = {name: \"authorization\" bearer: {scopes: \"read\"}};\n",
		"    option (grpcauth.v1.method).headers = {name: \"x-reason\" present: {}};\n",
		"    option (grpcauth.v1.method).public = true;\n",
		"    option (grpcauth.v1.method) = {\n      any_of: {headers: {name: \"authorization\" bearer: {}}}\n" +
			"      any_of: {headers: {name: \"x-api-key\" verify: {}}}\n    };\n",
		"",
	}
	var text strings.Builder
	fmt.Fprintf(&text, "syntax = \"proto3\";\n\npackage acme.s%d.v1;\n\nimport \"grpcauth/v1/options.proto\";\n", file)
	for s := range services {
		fmt.Fprintf(&text, "\nservice Number%dService {\n  option (grpcauth.v1.service).headers = "+
			"{name: \"x-tenant-id\" present: {} type: TYPE_INT64};\n", s)
		for m := range methods {
			call := fmt.Sprintf("Number%dMethod%d", s, m)
			fmt.Fprintf(&text, "  rpc %s(%sRequest) returns (%sResponse) {\n%s  }\n", call, call, call, rules[m%len(rules)])
		}
		text.WriteString("}\n")
		for m := range methods {
			fmt.Fprintf(&text, "message Number%dMethod%dRequest {}\nmessage Number%dMethod%dResponse {}\n", s, m, s, m)
		}
	}
	return text.String()
}
