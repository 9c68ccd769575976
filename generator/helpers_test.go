package generator_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/generator"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
)

// head begins a schema whose services follow.
const head = `syntax = "proto3";
package a.v1;
import "grpcauth/v1/options.proto";
option go_package = "example.com/a/v1;av1";
message M {}
`

// withRule is a schema with one method that has the rule.
func withRule(rule string) string {
	return head + "service A { rpc Get(M) returns (M) { option (grpcauth.v1.method) = {" + rule + "}; } }"
}

// request compiles one schema, a.proto.
func request(t *testing.T, text string) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	sources := compile.Sources(map[string]string{"a.proto": text}, options)
	compiled, err := compile.Request(t.Context(), sources, "paths=source_relative", "a.proto")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// mustGenerate returns the code that a schema generates.
func mustGenerate(t *testing.T, text string) string {
	t.Helper()
	files, err := generate(t, request(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return files["a_grpcauth.pb.go"]
}

// checkRefused checks that nothing is generated, and that the error says why.
func checkRefused(t *testing.T, request *pluginpb.CodeGeneratorRequest, wants ...string) {
	t.Helper()
	plugin, err := protogen.Options{}.New(request)
	if err == nil {
		err = generator.Generate(plugin)
		if written := len(plugin.Response().GetFile()); written != 0 {
			t.Errorf("%d files were generated", written)
		}
	}
	if err == nil {
		t.Fatalf("no error; want one with %q", wants)
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error\n%v\ndoes not say %q", err, want)
		}
	}
}
