// Command client asks for a name on the terminal and lets the greeter greet it.
//
//	go run ./example/client -addr localhost:50051
//
// With -no-auth it calls without the header, to show what such a caller gets.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
)

const timeout = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for stop to do
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("client", flag.ContinueOnError)
	address := flags.String("addr", "localhost:50051", "host:port of the server")
	noAuth := flags.Bool("no-auth", false, "call without the required header")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	name, err := ask(stdin, stdout)
	if err != nil {
		return err
	}

	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if !*noAuth {
		options = append(options, greeterv1.NewGreeterClientInterceptor().DialOptions()...)
	}
	connection, err := grpc.NewClient(*address, options...)
	if err != nil {
		return fmt.Errorf("-addr %s: %w", *address, err)
	}
	defer connection.Close() //nolint:errcheck // the program ends

	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	response, err := greeterv1.NewGreeterClient(connection).SayHello(ctx, &greeterv1.SayHelloRequest{Name: name})
	switch code := status.Code(err); code {
	case codes.OK:
		_, err = fmt.Fprintln(stdout, response.GetGreeting())
		return err //nolint:wrapcheck // says all there is to say
	case codes.Unavailable, codes.DeadlineExceeded:
		return fmt.Errorf(
			"no greeter answers at %s: start one with: go run ./example/server -addr %s", *address, *address)
	default:
		return fmt.Errorf("the call was refused: %s: %s", code, status.Convert(err).Message())
	}
}

// ask prompts for a name and reads one line.
func ask(stdin io.Reader, stdout io.Writer) (string, error) {
	if _, err := fmt.Fprint(stdout, "What is your name? "); err != nil {
		return "", fmt.Errorf("prompt: %w", err)
	}
	line, err := bufio.NewReader(stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the name: %w", err)
	}
	name := strings.TrimSpace(line)
	if name == "" {
		return "", errors.New("no name was given")
	}
	return name, nil
}
