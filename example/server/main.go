// Command server serves greeter.v1.Greeter, with health and reflection.
//
//	go run ./example/server -addr localhost:50051
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/example/internal/greeter"
)

// grace is how long calls may take to end once the server is to stop.
const grace = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to do
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	address := flags.String("addr", "localhost:50051", "host:port to listen on; port 0 takes a free one")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is taken by another program: choose another address with -addr", *address)
	case err != nil:
		return fmt.Errorf("cannot listen on %s: %w: choose another address with -addr", *address, err)
	}
	server := greeter.NewServer(&greeter.Service{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		timer := time.AfterFunc(grace, server.Stop)
		defer timer.Stop()
		server.GracefulStop()
	}()
	if _, err := fmt.Fprintln(stdout, "greeter listens on", listener.Addr()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if err := server.Serve(listener); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	<-stopped
	return nil
}
