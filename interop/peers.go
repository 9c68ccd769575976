package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	callTimeout = 10 * time.Second
	// A peer has this long for all its calls, or to start and to end.
	peerTimeout = 40 * time.Second
)

// A peer is a client and a server in another language.
type peer struct {
	name           string
	client, server []string // commands; a client is given the address and the headers besides
	environment    []string
	headers        []string // that its client can send
}

// peers returns those that were installed: the environment says where. Python's messages are generated.
func peers(ctx context.Context, generated string) ([]peer, error) {
	python, node, protoc := os.Getenv("GRPCAUTH_PYTHON"), os.Getenv("GRPCAUTH_NODE"), os.Getenv("GRPCAUTH_PROTOC_OLD")
	modules := os.Getenv("GRPCAUTH_NODE_MODULES")
	if python == "" || node == "" || protoc == "" || modules == "" {
		return nil, errors.New("GRPCAUTH_PYTHON, GRPCAUTH_NODE, GRPCAUTH_NODE_MODULES and GRPCAUTH_PROTOC_OLD " +
			"are not all set: run `make interop`, which installs the peers and sets them")
	}
	//nolint:gosec // which protoc runs is up to who runs us
	generate := exec.CommandContext(ctx, protoc, "--python_out="+generated, "-I../example", "-I../proto/options",
		"-Iproto", "greeter/v1/greeter.proto", "grpcauth/v1/options.proto", "status/v1/status.proto")
	if out, err := generate.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("generate Python's messages: %w: %s", err, out)
	}
	return []peer{
		{
			"Python grpcio",
			[]string{python, "python/client.py"},
			[]string{python, "python/server.py"},
			[]string{"PYTHONPATH=" + generated, "PYTHONDONTWRITEBYTECODE=1"},
			[]string{none, right, wrong, twice},
		},
		{
			"Node grpc-js",
			[]string{node, "node/client.cjs"},
			[]string{node, "node/server.cjs"},
			[]string{"NODE_PATH=" + modules},
			[]string{none, right, wrong}, // Node's http2 refuses to send authorization twice
		},
	}, nil
}

func (p peer) command(ctx context.Context, arguments []string) (*exec.Cmd, *bytes.Buffer) {
	var complaints bytes.Buffer
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	command.Env = append(os.Environ(), p.environment...)
	command.Stderr = &complaints
	command.WaitDelay = time.Second
	return command, &complaints
}

// calls runs the peer's client against a server, and returns what it saw.
func (p peer) calls(ctx context.Context, address string) ([]call, error) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	command, complaints := p.command(ctx, slices.Concat(p.client, []string{address}, p.headers))
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(p.client[1]), err, complaints)
	}
	var seen []call
	for line := range strings.Lines(string(out)) {
		var made call
		if err := json.Unmarshal([]byte(line), &made); err != nil {
			return nil, fmt.Errorf("%s printed %q: %w", filepath.Base(p.client[1]), line, err)
		}
		seen = append(seen, made)
	}
	return seen, nil
}

// serve starts the peer's server, which prints its port and ends with its standard input, and does so
// too if we end without a word.
func (p peer) serve(ctx context.Context) (address string, stop func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	command, complaints := p.command(ctx, p.server)
	input, err := command.StdinPipe()
	if err != nil {
		cancel()
		return "", nil, fmt.Errorf("standard input: %w", err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		cancel()
		return "", nil, fmt.Errorf("standard output: %w", err)
	}
	if err := command.Start(); err != nil {
		cancel()
		return "", nil, fmt.Errorf("start: %w", err)
	}
	stop = func() {
		_ = input.Close()
		end := time.AfterFunc(time.Second, cancel) // kills it
		_, _ = io.Copy(io.Discard, output)
		_ = command.Wait()
		end.Stop()
		cancel()
	}
	port, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("%s never printed its port: %w: %s", filepath.Base(p.server[1]), err, complaints)
	}
	return net.JoinHostPort("127.0.0.1", strings.TrimSpace(port)), stop, nil
}
