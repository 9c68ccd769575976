// Command bank shows a bank whose callers carry real credentials: a tenant, a token of an OpenID provider or
// an API key, an operator's password, or nothing. Provider, bank and clients run in this process, on loopback
// ports, with TLS.
//
//	go run .
//
// Each line is one call: what the caller gets, and in brackets what the bank knows about it. The exit status
// is 0 only if every call ended as bank.proto says.
//
// In reading order: main.go, chapters.go (the story), visitors.go (who calls, and what they call), story.go
// (how a call is shown and judged), world.go (what is there to be called), and the packages below internal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"
)

const timeout = 30 * time.Second

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the provider's library logs its routes
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bank:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for cancel to do
	}
}

func run(ctx context.Context, out io.Writer) error {
	w, err := newWorld(ctx)
	if err != nil {
		return err
	}
	defer w.stop()
	return tell(ctx, out, w)
}

// tell tells the whole story, also after a scene that is not as it should be.
func tell(ctx context.Context, out io.Writer, w *world) error {
	s := &story{ctx: ctx, out: out, decisions: &w.decisions}
	s.printf("bank.v1.Bank on %s trusts the tokens of %s\n", w.bank, w.provider.Issuer())
	for _, chapter := range []func(*story, *world) error{whoMayCallWhat, whatIsWrong, rotation, outage} {
		if err := chapter(s, w); err != nil {
			return errors.Join(s.err, err)
		}
	}
	return s.err
}
