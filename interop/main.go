// Command interop calls the greeter between Go and other languages, in both directions: our client against
// servers that others wrote, and their clients against ours. It prints a line for each call with what the
// calling side saw, and then how many were as they should be:
//
//	make interop
package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

func main() {
	failed, err := run(context.Background(), os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (failed int, err error) {
	generated, err := os.MkdirTemp("", "grpcauth-interop-")
	if err != nil {
		return 0, fmt.Errorf("make a directory for generated code: %w", err)
	}
	defer os.RemoveAll(generated) //nolint:errcheck // a temporary directory
	peers, err := peers(ctx, generated)
	if err != nil {
		return 0, err
	}
	r := &report{out: out}
	for _, p := range peers {
		for _, guard := range []bool{false, true} {
			r.theirClient(ctx, p, guard)
		}
		r.ourClient(ctx, p)
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", r.passed, r.failed) //nolint:errcheck // standard output
	return r.failed, nil
}

type report struct {
	out            io.Writer
	passed, failed int
}

// theirClient tries a peer's client against our server.
func (r *report) theirClient(ctx context.Context, p peer, guard bool) {
	direction := p.name + " -> Go, interceptors"
	if guard {
		direction = p.name + " -> Go, Guard"
	}
	address, stop, err := startServer(ctx, guard)
	if err != nil {
		r.compare(direction, p.headers, nil, err)
		return
	}
	defer stop()
	seen, err := p.calls(ctx, address)
	r.compare(direction, p.headers, seen, err)
}

// ourClient tries our client against a peer's server.
func (r *report) ourClient(ctx context.Context, p peer) {
	direction := "Go -> " + p.name
	address, stop, err := p.serve(ctx)
	if err != nil {
		r.compare(direction, []string{none, right}, nil, err)
		return
	}
	defer stop()
	for _, header := range []string{none, right} {
		seen, err := callAll(ctx, address, header)
		r.compare(direction, []string{header}, seen, err)
	}
}

// compare counts every call that was to be made, also one that was not made.
func (r *report) compare(direction string, headers []string, seen []call, err error) {
	made := map[[2]string]call{}
	for _, c := range seen {
		made[[2]string{c.Kind, c.Header}] = c
	}
	for _, kind := range kinds() {
		for _, header := range headers {
			want := expected(kind, header)
			got, ok := made[[2]string{kind, header}]
			switch {
			case !ok:
				r.failed++
				r.printf("FAIL %-32s %-13s header %-5s  was not called: %v\n", direction, kind, header, err)
			case !got.equal(want):
				r.failed++
				r.printf("FAIL %-32s %s; want %s\n", direction, got, want)
			default:
				r.passed++
				r.printf("ok   %-32s %s\n", direction, got)
			}
		}
	}
}

func (r *report) printf(format string, arguments ...any) {
	fmt.Fprintf(r.out, format, arguments...) //nolint:errcheck // standard output
}
