// Package refusals measures what a refused call costs a server in a process of its own.
package refusals

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // the server reads it

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/systems"
)

// variable of the environment names the system that a process serves. Without it, the process measures.
const variable = "GRPCAUTH_BENCH_SERVER"

// usage is what a server has used so far.
type usage struct {
	CPU    int64  `json:"cpu"`    // nanoseconds, of the user and the system
	Heap   uint64 `json:"heap"`   // bytes ever allocated
	Allocs uint64 `json:"allocs"` // ever made
}

// ServeIfAsked serves, in a process that was started for it, until its input ends. It is false in any other.
func ServeIfAsked(in io.Reader, out io.Writer) (bool, error) {
	name := os.Getenv(variable)
	if name == "" {
		return false, nil
	}
	system, err := systems.Named(name)
	if err != nil {
		return true, err
	}
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return true, fmt.Errorf("listen: %w", err)
	}
	defer system.Serve(listener).Stop()
	answers := json.NewEncoder(out)
	if err := answers.Encode(listener.Addr().String()); err != nil {
		return true, fmt.Errorf("tell the address: %w", err)
	}
	for questions := bufio.NewScanner(in); questions.Scan(); {
		used, err := used()
		if err != nil {
			return true, err
		}
		if err := answers.Encode(used); err != nil {
			return true, fmt.Errorf("tell the usage: %w", err)
		}
	}
	return true, nil
}

func used() (usage, error) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	var resources syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &resources); err != nil {
		return usage{}, fmt.Errorf("getrusage: %w", err)
	}
	return usage{
		CPU:    resources.Utime.Nano() + resources.Stime.Nano(),
		Heap:   memory.TotalAlloc,
		Allocs: memory.Mallocs,
	}, nil
}

// process is a server that was started here.
type process struct {
	command *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
	address string
}

// start starts this program again, to serve a system.
func start(system string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	p := &process{command: exec.CommandContext(context.Background(), program)}
	p.command.Env = append(os.Environ(), variable+"="+system)
	p.command.Stderr = os.Stderr
	if p.in, err = p.command.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	p.answers = json.NewDecoder(out)
	if err := p.answers.Decode(&p.address); err != nil {
		return nil, errors.Join(fmt.Errorf("the server's address: %w", err), p.stop())
	}
	return p, nil
}

func (p *process) used() (usage, error) {
	if _, err := io.WriteString(p.in, "\n"); err != nil {
		return usage{}, fmt.Errorf("ask the server: %w", err)
	}
	var used usage
	if err := p.answers.Decode(&used); err != nil {
		return usage{}, fmt.Errorf("the server's usage: %w", err)
	}
	return used, nil
}

func (p *process) connect() (*grpc.ClientConn, error) {
	connection, err := grpc.NewClient(p.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return connection, nil
}

func (p *process) stop() error {
	_ = p.in.Close()
	if err := p.command.Wait(); err != nil {
		return fmt.Errorf("the server: %w", err)
	}
	return nil
}
