package gateway

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
)

var update = flag.Bool("update", false, "write the gateways' code, and fail")

// The committed code is what the plugin writes for the example's .proto files.
func TestGeneratedCode(t *testing.T) {
	const root = "../.."
	for folder, file := range map[string]string{
		"deskgw": "recipes/v1/recipes.proto", "greetergw": "greeter/v1/greeter.proto",
	} {
		source := filepath.Join(root, "example")
		request, err := compile.Request(t.Context(), compile.Dirs(source, filepath.Join(root, "proto", "options")),
			"paths=source_relative,standalone=true,generate_unbound_methods=true", file)
		if err != nil {
			t.Fatal(err)
		}
		in, err := proto.Marshal(request)
		if err != nil {
			t.Fatal(err)
		}
		plugin := exec.CommandContext(t.Context(), "go", "tool", "protoc-gen-grpc-gateway")
		plugin.Stdin = bytes.NewReader(in)
		out, err := plugin.Output()
		if err != nil {
			t.Fatal(err)
		}
		response := &pluginpb.CodeGeneratorResponse{}
		if err := proto.Unmarshal(out, response); err != nil || response.Error != nil || len(response.GetFile()) != 1 {
			t.Fatalf("%v: %d files, error %q", err, len(response.GetFile()), response.GetError())
		}
		written := response.GetFile()[0].GetContent()
		path := filepath.Join(folder, strings.TrimSuffix(filepath.Base(file), ".proto")+".pb.gw.go")
		committed, err := os.ReadFile(path)
		if err == nil && string(committed) == written {
			continue
		}
		t.Errorf("%s is not what the plugin writes (%v): run with -update", path, err)
		if *update {
			if err := os.MkdirAll(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(written), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
