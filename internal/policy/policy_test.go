package policy_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

const schema = `syntax = "proto3";
package a.v1;
import "grpcauth/v1/options.proto";
service A {
  option (grpcauth.v1.service) = {
    headers: {name: "x-a" equals: "1"}
    headers: {name: "TE" present: {}}
  };
  rpc Get(M) returns (M);
}
message M {}
`

// file compiles a.proto, with or without the positions that compilers record.
func file(t *testing.T, text string, positions bool) protoreflect.FileDescriptor {
	t.Helper()
	sources := compile.Sources(map[string]string{"a.proto": text}, "../../proto/options")
	request, err := compile.Request(t.Context(), sources, "", "a.proto")
	if err != nil {
		t.Fatal(err)
	}
	if !positions {
		for _, file := range request.GetProtoFile() {
			file.SourceCodeInfo = nil
		}
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: request.GetProtoFile()})
	if err != nil {
		t.Fatal(err)
	}
	found, err := files.FindFileByPath("a.proto")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The same rule in each form that a decoder may leave it in.
func TestRulesAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	want := `a.proto:5:3: a.v1.A: headers[1].name: "TE" must be lower case: "te"`
	unknown := file(t, schema, true)
	asBytes := protodesc.ToFileDescriptorProto(unknown)
	if len(asBytes.GetService()[0].GetOptions().ProtoReflect().GetUnknown()) == 0 {
		t.Fatal("the rule is not there as bytes")
	}
	forms := map[string]protoreflect.FileDescriptor{"bytes": unknown}
	for form, resolver := range map[string]proto.UnmarshalOptions{
		"Go type":         {},
		"dynamic message": {Resolver: dynamicTypes(t)},
	} {
		wire, err := proto.Marshal(asBytes)
		if err != nil {
			t.Fatal(err)
		}
		decoded := &descriptorpb.FileDescriptorProto{}
		if err := resolver.Unmarshal(wire, decoded); err != nil {
			t.Fatal(err)
		}
		if len(decoded.GetService()[0].GetOptions().ProtoReflect().GetUnknown()) != 0 {
			t.Fatalf("%s: the rule is still there as bytes", form)
		}
		if forms[form], err = protodesc.NewFile(decoded, protoregistry.GlobalFiles); err != nil {
			t.Fatal(err)
		}
	}
	for form, descriptor := range forms {
		if _, findings := policy.Resolve(descriptor, false); findings.Error() != want {
			t.Errorf("%s: got %q, want %q", form, findings.Error(), want)
		}
	}
}

// dynamicTypes resolves the option language to types that no Go code was generated for.
func dynamicTypes(t *testing.T) *protoregistry.Types {
	t.Helper()
	types := &protoregistry.Types{}
	extensions := grpcauthv1.File_grpcauth_v1_options_proto.Extensions()
	for i := range extensions.Len() {
		if err := types.RegisterExtension(dynamicpb.NewExtensionType(extensions.Get(i))); err != nil {
			t.Fatal(err)
		}
	}
	return types
}

func TestPositionsWithoutSourceInfo(t *testing.T) {
	t.Parallel()
	_, findings := policy.Resolve(file(t, schema, false), false)
	const want = `a.proto:1:1: a.v1.A: headers[1].name: "TE" must be lower case: "te"`
	if findings.Error() != want {
		t.Errorf("got %q, want %q", findings.Error(), want)
	}
}

func TestFindingsAreSortedAndStandOnceEach(t *testing.T) {
	t.Parallel()
	findings := policy.Findings{
		{Path: "b", Line: 1, Column: 1, Element: "e", Message: "m"},
		{Path: "a", Line: 10, Column: 1, Element: "e", Message: "m"},
		{Path: "a", Line: 2, Column: 30, Element: "e", Message: "m"},
		{Path: "a", Line: 2, Column: 4, Element: "f", Message: "m"},
		{Path: "a", Line: 2, Column: 4, Element: "e", Message: "n"},
		{Path: "a", Line: 2, Column: 4, Element: "e", Message: "m"},
		{Path: "a", Line: 2, Column: 4, Element: "e", Message: "m"},
	}
	want := strings.Join([]string{
		"a:2:4: e: m", "a:2:4: e: n", "a:2:4: f: m", "a:2:30: e: m", "a:10:1: e: m", "b:1:1: e: m",
	}, "\n")
	if got := findings.Error(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if findings[0].Path != "b" {
		t.Error("sorting has changed the findings themselves")
	}
}

func TestFindingStaysOnOneLine(t *testing.T) {
	t.Parallel()
	got := policy.Finding{Path: "a\n.proto", Line: 1, Column: 2, Element: "e\u202e", Message: "m"}.String()
	if want := `"a\n.proto":1:2: "e\u202e": m`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
