// Command regenerate writes the committed generated code of this repository with nothing but Go.
//
// It compiles .proto files in process and hands them to the plugins that buf.gen.yaml names, each a
// process of its own as under protoc or buf: protoc-gen-go and protoc-gen-go-grpc, pinned as tools in
// go.mod, and this repository's protoc-gen-go-grpcauth. Nothing is written unless all of them succeed.
//
//	go run ./internal/cmd/regenerate -I proto/options -I example greeter/v1/greeter.proto
//
// Generated files go where their Go package is: below the directory of go.mod, or below -out for another
// module, whose path is then given with -module.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
)

// Generated code is as readable as the rest of a checkout.
const (
	directoryMode = 0o755
	fileMode      = 0o644
)

const ourModule = "github.com/grpcauth/protoc-gen-go-grpcauth"

// plugins are the commands of buf.gen.yaml, in its order. Each skips a file that holds nothing for it.
var plugins = [][]string{
	{"tool", "protoc-gen-go"},
	{"tool", "protoc-gen-go-grpc"},
	{"run", ourModule + "/cmd/protoc-gen-go-grpcauth"},
}

// messagesOnly is enough for schemas without services, and does not need the code that it writes; rulesOnly for
// those whose messages are in somebody else's Go package.
var messagesOnly, rulesOnly = plugins[:1], plugins[len(plugins)-1:]

type directories []string

func (d *directories) String() string { return strings.Join(*d, ",") }

func (d *directories) Set(value string) error {
	*d = append(*d, value)
	return nil
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "regenerate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var imports directories
	flags := flag.NewFlagSet("regenerate", flag.ContinueOnError)
	flags.Var(&imports, "I", "directory in which to search for imports; may be repeated")
	module := flags.String("module", ourModule, "path of the Go module that the code belongs to")
	root := flags.String("out", "", "directory of that module (default: where this module's go.mod is)")
	onlyMessages := flags.Bool("messages-only", false, "run protoc-gen-go alone")
	onlyRules := flags.Bool("rules-only", false, "run protoc-gen-go-grpcauth alone")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("flags: %w", err)
	}
	if flags.NArg() == 0 {
		return errors.New("name at least one .proto file, relative to a directory given with -I")
	}

	request, err := compile.Request(ctx, compile.Dirs(imports...), "module="+*module, flags.Args()...)
	if err != nil {
		return err
	}
	if *root == "" {
		if *root, err = moduleRoot(ctx); err != nil {
			return err
		}
	}
	chosen := plugins
	switch {
	case *onlyMessages:
		chosen = messagesOnly
	case *onlyRules:
		chosen = rulesOnly
	}
	var files []*pluginpb.CodeGeneratorResponse_File
	for _, command := range chosen {
		response, err := runPlugin(ctx, command, request)
		if err != nil {
			return err
		}
		files = append(files, response.GetFile()...)
	}
	return write(*root, files)
}

// moduleRoot is the directory of our go.mod.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", ourModule).Output()
	if err != nil {
		return "", fmt.Errorf("find the module's directory: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func runPlugin(
	ctx context.Context, command []string, request *pluginpb.CodeGeneratorRequest,
) (*pluginpb.CodeGeneratorResponse, error) {
	name := command[len(command)-1]
	in, err := proto.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode the request for %s: %w", name, err)
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", command...)
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stdout = &out
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w", name, err)
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(out.Bytes(), response); err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", name, err)
	}
	if response.Error != nil {
		return nil, errors.New(response.GetError())
	}
	return response, nil
}

func write(root string, files []*pluginpb.CodeGeneratorResponse_File) error {
	for _, file := range files {
		if !filepath.IsLocal(file.GetName()) {
			return fmt.Errorf("refusing to write outside the module: %q", file.GetName())
		}
		path := filepath.Join(root, file.GetName())
		if err := os.MkdirAll(filepath.Dir(path), directoryMode); err != nil {
			return fmt.Errorf("write generated code: %w", err)
		}
		if err := os.WriteFile(path, []byte(file.GetContent()), fileMode); err != nil {
			return fmt.Errorf("write generated code: %w", err)
		}
	}
	return nil
}
