// Package plugins builds protoc plugins, and runs them as a compiler does.
package plugins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"
)

const ourModule = "github.com/grpcauth/protoc-gen-go-grpcauth"

// Packages of the plugins, in the versions of this module's go.mod, and of what generated code imports.
const (
	Ours    = ourModule + "/cmd/protoc-gen-go-grpcauth"
	GoGRPC  = "google.golang.org/grpc/cmd/protoc-gen-go-grpc"
	Floor   = ourModule + "/bench/internal/cmd/floor"
	Rusage  = ourModule + "/bench/internal/cmd/rusage"
	Runtime = ourModule + "/grpcauth"
)

// Checkout is the top of the checkout that this module is part of.
func Checkout() (string, error) {
	out, err := Go("list", "-m", "-f", "{{.Dir}}", ourModule)
	return strings.TrimSpace(string(out)), err
}

// Build compiles commands into a directory, and returns the paths of the binaries.
func Build(directory string, packages ...string) ([]string, error) {
	if _, err := Go(append([]string{"build", "-o", directory + "/"}, packages...)...); err != nil {
		return nil, err
	}
	binaries := make([]string, 0, len(packages))
	for _, name := range packages {
		binaries = append(binaries, filepath.Join(directory, filepath.Base(name)))
	}
	return binaries, nil
}

// Go runs the go command in this module and returns what it prints.
func Go(args ...string) ([]byte, error) {
	out, err := exec.CommandContext(context.Background(), "go", args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("go %s: %w: %s", args[0], err, exit.Stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("go %s: %w", args[0], err)
	}
	return out, nil
}

// Run gives a request to a plugin and returns its files.
func Run(plugin string, request *pluginpb.CodeGeneratorRequest) ([]*pluginpb.CodeGeneratorResponse_File, error) {
	in, err := proto.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	cmd := exec.CommandContext(context.Background(), plugin)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", filepath.Base(plugin), err)
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(out, response); err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", filepath.Base(plugin), err)
	}
	if response.Error != nil {
		return nil, errors.New(response.GetError())
	}
	return response.GetFile(), nil
}
