// Command server serves greeter.v1.Greeter, with health and reflection.
//
//	go run ./example/server -addr localhost:50051
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/grpcauth/protoc-gen-go-grpcauth/example/internal/greeter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to do
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string) error {
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
	go func() {
		<-ctx.Done()
		server.GracefulStop()
	}()
	fmt.Println("greeter listens on", listener.Addr())
	if err := server.Serve(listener); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
