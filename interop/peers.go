package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/doors"
)

// A peer is a client, and mostly a server as well, that others wrote.
type peer struct {
	name      string
	protocols []string
	headers   []string // that its client can send
	calls     func(ctx context.Context, address, protocol string, headers []string) ([]cases.Call, error)
	serve     func(ctx context.Context) (address string, stop func(), err error) // nil: it has no server
}

// installed is where the environment says that the peers are.
type installed struct{ protoc, python, node, nodeModules, grpcurl, buf string }

func findInstalled() (installed, error) {
	var found installed
	for name, place := range map[string]*string{
		"GRPCAUTH_PROTOC_OLD":   &found.protoc,
		"GRPCAUTH_PYTHON":       &found.python,
		"GRPCAUTH_NODE":         &found.node,
		"GRPCAUTH_NODE_MODULES": &found.nodeModules,
		"GRPCAUTH_GRPCURL":      &found.grpcurl,
		"GRPCAUTH_BUF":          &found.buf,
	} {
		if *place = os.Getenv(name); *place == "" {
			return found, errors.New(name + " is not set: run `make interop`, which installs the peers and sets it")
		}
	}
	return found, nil
}

// peers returns all peers. What is generated for them goes to a directory.
func peers(ctx context.Context, generated string) ([]peer, error) {
	found, err := findInstalled()
	if err != nil {
		return nil, err
	}
	descriptors := filepath.Join(generated, "descriptors.binpb")
	if err := generate(ctx, found.protoc, generated, descriptors); err != nil {
		return nil, err
	}
	var (
		onlyGRPC = []string{doors.GRPC}
		every    = []string{doors.GRPC, doors.GRPCWeb, doors.Connect}
		// Node refuses to send authorization twice.
		notTwice = []string{cases.None, cases.Right, cases.Wrong}
		headers  = append(notTwice[:3:3], cases.Twice)

		inPython = []string{"PYTHONPATH=" + generated, "PYTHONDONTWRITEBYTECODE=1"}
		inNode   = []string{"NODE_PATH=" + found.nodeModules, "GRPCAUTH_DESCRIPTORS=" + descriptors}

		grpcio      = scripts{found.python, "python/client.py", "python/server.py", inPython}
		grpcJS      = scripts{found.node, "node/grpc-js/client.cjs", "node/grpc-js/server.cjs", inNode}
		connectNode = scripts{found.node, "node/connect-node/client.cjs", "node/connect-node/server.cjs", inNode}
		grpcurl     = commandLine{grpcurlCommand(found.grpcurl), grpcurlFailure}
		bufCurl     = commandLine{bufCurlCommand(found.buf), bufFailure}
	)
	return []peer{
		{"Python grpcio", onlyGRPC, headers, grpcio.calls, grpcio.serve},
		{"Node grpc-js", onlyGRPC, notTwice, grpcJS.calls, grpcJS.serve},
		{"connect-node", every, notTwice, connectNode.calls, connectNode.serve},
		{"grpcurl", onlyGRPC, headers, grpcurl.calls, nil},
		{"buf curl", every, headers, bufCurl.calls, nil},
	}, nil
}

// generate writes Python's messages, and the descriptors of our .proto files with their options.
func generate(ctx context.Context, protoc, python, descriptors string) error {
	command := exec.CommandContext(ctx, protoc, "--python_out="+python,
		"--include_imports", "--descriptor_set_out="+descriptors, "-I../example", "-I../proto/options", "-Iproto",
		"greeter/v1/greeter.proto", "grpcauth/v1/options.proto", "status/v1/status.proto")
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("generate Python's messages and descriptors: %w: %s", err, out)
	}
	return nil
}

// grpcurlCommand has grpcurl read our .proto files, options included.
func grpcurlCommand(grpcurl string) func(address, protocol, method string, flags []string) []string {
	return func(address, _, method string, flags []string) []string {
		return slices.Concat([]string{
			grpcurl, "-plaintext", "-format-error", "-import-path", "../example", "-import-path", "../proto/options",
			"-proto", "greeter/v1/greeter.proto",
		}, flags, []string{address, strings.TrimPrefix(method, "/")})
	}
}

// bufCurlCommand has buf ask the server for its descriptors.
func bufCurlCommand(buf string) func(address, protocol, method string, flags []string) []string {
	spelled := map[string]string{doors.GRPC: "grpc", doors.GRPCWeb: "grpcweb", doors.Connect: "connect"}
	return func(address, protocol, method string, flags []string) []string {
		return slices.Concat([]string{buf, "curl", "--reflect", "--protocol", spelled[protocol]}, flags,
			[]string{"http://" + address + method})
	}
}
