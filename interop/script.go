package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
)

// A peer has this long for all its calls, or to start and to end.
const peerTimeout = 40 * time.Second

// scripts are a client and a server in another language that we wrote for this.
type scripts struct {
	interpreter, client, server string
	environment                 []string
}

func (s scripts) start(ctx context.Context, file string, arguments ...string) (*exec.Cmd, *bytes.Buffer) {
	var complaints bytes.Buffer
	command := exec.CommandContext(ctx, s.interpreter, append([]string{file}, arguments...)...)
	command.Env = append(os.Environ(), s.environment...)
	command.Stderr = &complaints
	command.WaitDelay = time.Second
	return command, &complaints
}

// calls runs a client, which is given the server's address, the protocol and what headers to send, and prints
// each call as JSON.
func (s scripts) calls(ctx context.Context, address, protocol string, headers []string) ([]cases.Call, error) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	command, complaints := s.start(ctx, s.client, append([]string{address, protocol}, headers...)...)
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", s.client, err, complaints)
	}
	var seen []cases.Call
	for line := range strings.Lines(string(out)) {
		var made cases.Call
		if err := json.Unmarshal([]byte(line), &made); err != nil {
			return nil, fmt.Errorf("%s printed %q: %w", s.client, line, err)
		}
		seen = append(seen, made)
	}
	return seen, nil
}

// serve starts a server, which prints its port and ends with its standard input, and does so too if we end
// without a word.
func (s scripts) serve(ctx context.Context) (address string, stop func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	command, complaints := s.start(ctx, s.server)
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
		return "", nil, fmt.Errorf("%s never printed its port: %w: %s", s.server, err, complaints)
	}
	return net.JoinHostPort("127.0.0.1", strings.TrimSpace(port)), stop, nil
}
