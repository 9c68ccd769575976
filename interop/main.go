// Command interop calls the greeter in both directions: our clients against servers that others wrote, most of them
// in other languages, and their clients against ours. It prints a line for each call with what the calling side
// saw, and then how many were as they should be:
//
//	make interop
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/doors"
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
		for _, door := range doors.All() {
			for _, protocol := range both(door.Protocols, p.protocols) {
				r.theirClient(ctx, p, door, protocol)
			}
		}
		if p.serve == nil {
			continue
		}
		for _, client := range goClients() {
			for _, protocol := range both(client.protocols, p.protocols) {
				r.ourClient(ctx, client, p, protocol)
			}
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", r.passed, r.failed) //nolint:errcheck // standard output
	return r.failed, nil
}

func both(some, others []string) []string {
	return slices.DeleteFunc(slices.Clone(some), func(one string) bool { return !slices.Contains(others, one) })
}
