package main

import (
	"bytes"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
)

// FuzzRawRequest feeds the plugin what no compiler sends: it must answer with an error or with files, and
// never with both, and it must not panic.
func FuzzRawRequest(f *testing.F) {
	for _, rule := range []string{
		`headers: {name: "authorization" equals: "42"} denial: {code: CODE_NOT_FOUND message: "no"}`,
		`headers: {name: "x-a" in: {values: "a" values: "b"}} headers: {name: "b-bin" present: {}}`,
		`replace: true headers: {name: "x-n" present: {} type: TYPE_UINT64}`,
		`headers: {name: "authorization" bearer: {scopes: "a" scopes: "b"}}`,
		`headers: {name: "authorization" basic: {}} headers: {name: "x-user" verify: {} type: TYPE_INT64 optional: true}`,
		`any_of: {headers: {name: "authorization" verify: {scheme: "DPoP"}}} any_of: {headers: {name: "x-key" verify: {}}}`,
		`public: true headers: {name: "authorization" bearer: {} optional: true}`,
		`guarded_by: "something"`,
		`public: true`,
	} {
		request, err := compile.Request(f.Context(), compile.Sources(map[string]string{"a.proto": `
			syntax = "proto3";
			package a.v1;
			import "grpcauth/v1/options.proto";
			option go_package = "example.com/a/v1;av1";
			service A {
				option (grpcauth.v1.service) = {` + rule + `};
				rpc Get(M) returns (M);
				rpc Watch(M) returns (stream M) { option (grpcauth.v1.method).public = true; }
			}
			message M {}`}, "../../proto/options"), "paths=source_relative", "a.proto")
		if err != nil {
			f.Fatal(err)
		}
		in, err := proto.Marshal(request)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out, problems bytes.Buffer
		if status := run(nil, bytes.NewReader(in), &out, &problems); status != 0 {
			if out.Len() > 0 || problems.Len() == 0 {
				t.Fatalf("exit status %d with %d bytes of output and %q", status, out.Len(), &problems)
			}
			return
		}
		response := &pluginpb.CodeGeneratorResponse{}
		if err := proto.Unmarshal(out.Bytes(), response); err != nil {
			t.Fatalf("the output is no response: %v", err)
		}
		if response.Error != nil && len(response.GetFile()) > 0 {
			t.Fatalf("files beside the error %q", response.GetError())
		}
		if strings.HasPrefix(response.GetError(), "internal error") {
			t.Fatal(response.GetError())
		}
	})
}
