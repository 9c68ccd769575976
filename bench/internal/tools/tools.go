// Package tools measures what happens before a program runs: the plugin, and the compilation of what it writes. Each
// is a process of its own.
package tools

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/plugins"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/schema"
)

// Workshop is a directory with the binaries that are measured.
type Workshop struct {
	directory, checkout         string
	ours, goGRPC, floor, rusage string
}

// NewWorkshop builds the plugins. Close it.
func NewWorkshop() (*Workshop, error) {
	checkout, err := plugins.Checkout()
	if err != nil {
		return nil, err
	}
	directory, err := os.MkdirTemp("", "grpcauth-bench-")
	if err != nil {
		return nil, fmt.Errorf("directory for the plugins: %w", err)
	}
	w := &Workshop{directory: directory, checkout: checkout}
	binaries, err := plugins.Build(directory, plugins.Ours, plugins.GoGRPC, plugins.Floor, plugins.Rusage)
	if err != nil {
		w.Close()
		return nil, err
	}
	w.ours, w.goGRPC, w.floor, w.rusage = binaries[0], binaries[1], binaries[2], binaries[3]
	return w, nil
}

// Close removes the directory.
func (w *Workshop) Close() { _ = os.RemoveAll(w.directory) }

// Plugins measures plugins on sets of files of several sizes.
func (w *Workshop) Plugins(rounds int) (*measure.Group, error) {
	group := &measure.Group{
		Name: "plugin", Title: "A plugin's process, by files × methods", CPU: true, Resident: true, Reference: "floor",
		Rounds: rounds,
	}
	const methods = 20
	for _, size := range []struct{ files, methods int }{{1, methods}, {100, methods}, {1000, methods}, {1, 2000}} {
		request, err := w.request(schema.Load(size.files, size.methods))
		if err != nil {
			return nil, err
		}
		wire, err := proto.Marshal(request)
		if err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
		name := fmt.Sprintf("%d x %d", size.files, size.methods)
		input := filepath.Join(w.directory, fmt.Sprintf("%d-%d.request", size.files, size.methods))
		if err := writeFile(input, wire); err != nil {
			return nil, err
		}
		group.Variants = append(group.Variants,
			w.command(name+"/floor", input, w.floor),
			w.command(name+"/protoc-gen-go-grpc", input, w.goGRPC),
			w.command(name+"/ours", input, w.ours))
	}
	return group, nil
}

// command is a variant that runs a program.
func (w *Workshop) command(name, input string, command ...string) measure.Variant {
	return measure.Variant{Name: name, Sample: func() (measure.Sample, error) {
		out, err := exec.CommandContext(context.Background(), w.rusage, append([]string{input}, command...)...).Output()
		if err != nil {
			return measure.Sample{}, fmt.Errorf("%s: %w", filepath.Base(command[0]), err)
		}
		var sample measure.Sample
		if _, err := fmt.Sscan(string(out), &sample.Nanos, &sample.Bytes); err != nil {
			return measure.Sample{}, fmt.Errorf("read %q: %w", out, err)
		}
		return sample, nil
	}}
}

// request compiles a set of files to what a compiler hands to a plugin.
func (w *Workshop) request(set schema.Set) (*pluginpb.CodeGeneratorRequest, error) {
	return compile.Request(context.Background(), set.Resolver(w.checkout), "paths=source_relative", set.Names()...)
}

func writeFile(path string, content []byte) error {
	const private = 0o600
	if err := os.WriteFile(path, content, private); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
