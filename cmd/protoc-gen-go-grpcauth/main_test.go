package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/generator"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

const schema = `syntax = "proto3";
package a.v1;
import "grpcauth/v1/options.proto";
option go_package = "example.com/a/v1;av1";
service A {
  option (grpcauth.v1.service) = {
    headers: {name: "authorization" equals: "42"}
    headers: {name: "x-n" present: {} type: TYPE_INT64}
    denial: {code: CODE_NOT_FOUND message: "no"}
  };
  rpc Get(M) returns (M);
}
message M {}
`

// wholeLanguage uses every field of the option language.
const wholeLanguage = `syntax = "proto3";
package a.v1;
import "grpcauth/v1/options.proto";
option go_package = "example.com/a/v1;av1";
option (grpcauth.v1.file) = {
  headers: {name: "x-file" in: {values: "a" values: "b"}}
  denial: {code: CODE_NOT_FOUND message: "no"}
};
service A {
  option (grpcauth.v1.service) = {
    headers: {name: "x-n" present: {} type: TYPE_INT64}
    headers: {name: "x-o" equals: "1" optional: true}
    any_of: {headers: {name: "authorization" bearer: {scopes: "read" scopes: "write"}}}
    any_of: {headers: {name: "authorization" basic: {}} headers: {name: "x-k" verify: {scheme: "Key" scopes: "a"}}}
  };
  rpc Get(M) returns (M);
  rpc Replaced(M) returns (stream M) {
    option (grpcauth.v1.method) = {replace: true headers: {name: "x-b" verify: {} type: TYPE_BOOL}};
  }
  rpc Open(stream M) returns (M) { option (grpcauth.v1.method).public = true; }
  rpc Guarded(stream M) returns (stream M) { option (grpcauth.v1.method).guarded_by = "a proxy"; }
}
message M {}
`

// encoded compiles a.proto to the bytes that a compiler would send.
func encoded(t *testing.T, text, parameter string) []byte {
	t.Helper()
	sources := compile.Sources(map[string]string{"a.proto": text}, "../../proto/options")
	request, err := compile.Request(t.Context(), sources, parameter, "a.proto")
	if err != nil {
		t.Fatal(err)
	}
	return marshal(t, request)
}

func marshal(t *testing.T, message proto.Message) []byte {
	t.Helper()
	wire, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// answer runs the plugin and decodes its response.
func answer(t *testing.T, in []byte) *pluginpb.CodeGeneratorResponse {
	t.Helper()
	var out, problems bytes.Buffer
	if status := run(nil, bytes.NewReader(in), &out, &problems); status != 0 || problems.Len() != 0 {
		t.Fatalf("exit status %d: %s", status, &problems)
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(out.Bytes(), response); err != nil {
		t.Fatal(err)
	}
	return response
}

func TestPluginGenerates(t *testing.T) {
	t.Parallel()
	response := answer(t, encoded(t, schema, "paths=source_relative"))
	if response.Error != nil || len(response.GetFile()) != 1 || response.GetFile()[0].GetName() != "a_grpcauth.pb.go" {
		t.Errorf("got %v", response)
	}
	checkSupport(t, response)
}

func TestPluginReportsWhatIsWrong(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, parameter, want string }{
		"schema":    {strings.Replace(schema, `"x-n"`, `"te"`, 1), "", `a.proto:6:3: a.v1.A: headers[1].name: "te" is reserved`},
		"parameter": {schema, "requre_all=true", `unknown parameter "requre_all"`},
		"paths":     {schema, "paths=elsewhere", `unknown path type "elsewhere"`},
		"module":    {schema, "module=example.com/b", "does not match prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			response := answer(t, encoded(t, test.text, test.parameter))
			if !strings.Contains(response.GetError(), test.want) || len(response.GetFile()) != 0 {
				t.Errorf("got error %q and %d files, want %q", response.GetError(), len(response.GetFile()), test.want)
			}
			if name != "module" { // written by protogen, after us
				checkSupport(t, response)
			}
		})
	}
}

// checkSupport checks what compilers must know also where generation fails.
func checkSupport(t *testing.T, response *pluginpb.CodeGeneratorResponse) {
	t.Helper()
	const features = uint64(pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL |
		pluginpb.CodeGeneratorResponse_FEATURE_SUPPORTS_EDITIONS)
	if response.GetSupportedFeatures() != features ||
		response.GetMinimumEdition() != int32(descriptorpb.Edition_EDITION_PROTO2) ||
		response.GetMaximumEdition() != int32(descriptorpb.Edition_EDITION_2024) {
		t.Errorf("features %d, editions %d to %d", response.GetSupportedFeatures(),
			response.GetMinimumEdition(), response.GetMaximumEdition())
	}
}

// An option that another extension put under our number is reported with its place, although it cannot be
// decoded as one of ours.
func TestPluginSurvivesForeignOptionUnderOurNumber(t *testing.T) {
	t.Parallel()
	response := answer(t, encoded(t, `syntax = "proto2";
package a.v1;
import "google/protobuf/descriptor.proto";
option go_package = "example.com/a/v1;av1";
extend google.protobuf.MethodOptions { optional string legacy = 74201; }
service A { rpc Get(M) returns (M) { option (legacy) = "\377"; } }
message M {}
`, ""))
	const want = "a.proto:5:40: a.v1.legacy: number 74201 is that of grpcauth.v1.method"
	if !strings.HasPrefix(response.GetError(), want) {
		t.Errorf("got %q, want %q", response.GetError(), want)
	}
}

// The same, where the extension's declaration does not come with the request.
func TestPluginReportsUndecodableOption(t *testing.T) {
	t.Parallel()
	for name, value := range map[string][]byte{
		"text":   protowire.AppendString(protowire.AppendTag(nil, 74201, protowire.BytesType), "admin"),
		"number": protowire.AppendVarint(protowire.AppendTag(nil, 74201, protowire.VarintType), 7),
	} {
		request := &pluginpb.CodeGeneratorRequest{}
		if err := proto.Unmarshal(encoded(t, strings.Replace(schema, "import", "import public", 1), ""), request); err != nil {
			t.Fatal(err)
		}
		method := request.GetProtoFile()[len(request.GetProtoFile())-1].GetService()[0].GetMethod()[0]
		method.Options = &descriptorpb.MethodOptions{}
		method.GetOptions().ProtoReflect().SetUnknown(value)
		const want = "a.proto:11:3: a.v1.A.Get: the option cannot be decoded as a grpcauth.v1.Rule"
		if got := answer(t, marshal(t, request)).GetError(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestRunByHand(t *testing.T) {
	t.Parallel()
	for argument, want := range map[string]string{
		"--version": "protoc-gen-go-grpcauth " + generator.Version + "\n",
		"--help":    help,
		"-h":        help,
	} {
		var out, problems bytes.Buffer
		if status := run([]string{argument}, nil, &out, &problems); status != 0 || out.String() != want || problems.Len() != 0 {
			t.Errorf("%s: exit status %d, %q, %q", argument, status, &out, &problems)
		}
	}
	var out, problems bytes.Buffer
	if status := run([]string{"a.proto"}, nil, &out, &problems); status != 1 || out.Len() != 0 ||
		problems.String() != "protoc-gen-go-grpcauth: unknown argument \"a.proto\"; see --help\n" {
		t.Errorf("exit status %d, %q, %q", status, &out, &problems)
	}
}

func TestHelpNamesEveryParameter(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"paths=", "module=", "M<file>=", "require_all=", "--version", "--help"} {
		if !strings.Contains(help, name) {
			t.Errorf("--help does not name %s", name)
		}
	}
}

// checkNoPanic runs the plugin on what no compiler sends: it ends with an error, or with a response.
func checkNoPanic(t *testing.T, in []byte) {
	t.Helper()
	var out, problems bytes.Buffer
	if status := run(nil, bytes.NewReader(in), &out, &problems); status != 0 {
		if problems.Len() == 0 || out.Len() != 0 {
			t.Errorf("exit status %d, %q, %d bytes of output", status, &problems, out.Len())
		}
		return
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(out.Bytes(), response); err != nil {
		t.Error(err)
	}
	if strings.HasPrefix(response.GetError(), "internal error") {
		t.Error(response.GetError())
	}
	for _, file := range response.GetFile() {
		if response.Error != nil {
			t.Errorf("%q beside the error %q", file.GetName(), response.GetError())
		}
		checkCode(t, file)
	}
}

// checkCode checks that a file that is written in spite of what no compiler sends is Go, and imports nothing
// that others do not. What it may declare is checked in package generator.
func checkCode(t *testing.T, file *pluginpb.CodeGeneratorResponse_File) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "a.go", file.GetContent(), parser.SkipObjectResolution)
	if err != nil || !strings.HasSuffix(file.GetName(), "_grpcauth.pb.go") {
		t.Errorf("%q: %v", file.GetName(), err)
		return
	}
	for _, imported := range parsed.Imports {
		switch imported.Path.Value {
		case `"context"`, `"google.golang.org/grpc/codes"`,
			`"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"`,
			`"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"`:
		default:
			t.Errorf("%q imports %s", file.GetName(), imported.Path.Value)
		}
	}
}

// TestT36_TheWholeLanguageIsTried holds wholeLanguage to its name: a field that is added must be added there.
func TestT36_TheWholeLanguageIsTried(t *testing.T) {
	t.Parallel()
	request := &pluginpb.CodeGeneratorRequest{}
	if err := proto.Unmarshal(encodedBriefly(t), request); err != nil { // with our options, which are linked in
		t.Fatal(err)
	}
	used := map[protoreflect.FullName]bool{}
	var use func(message protoreflect.Message)
	use = func(message protoreflect.Message) {
		message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
			used[field.FullName()] = true
			switch {
			case field.IsList() && field.Message() != nil:
				for i := range value.List().Len() {
					use(value.List().Get(i).Message())
				}
			case field.Message() != nil:
				use(value.Message())
			}
			return true
		})
	}
	use(request.GetProtoFile()[len(request.GetProtoFile())-1].ProtoReflect())
	language := grpcauthv1.File_grpcauth_v1_options_proto
	for i := range language.Messages().Len() {
		for fields, j := language.Messages().Get(i).Fields(), 0; j < fields.Len(); j++ {
			if name := fields.Get(j).FullName(); !used[name] {
				t.Errorf("%s is not used", name)
			}
		}
	}
	for i := range language.Extensions().Len() {
		if name := language.Extensions().Get(i).FullName(); !used[name] {
			t.Errorf("%s is not used", name)
		}
	}
	if response := answer(t, encodedBriefly(t)); response.Error != nil || len(response.GetFile()) != 1 {
		t.Errorf("it does not generate: %s", response.GetError())
	}
}

// encodedBriefly is wholeLanguage as a request in which imported files have no positions and comments: the manual of the
// option language would be most of it.
func encodedBriefly(t *testing.T) []byte {
	t.Helper()
	request := &pluginpb.CodeGeneratorRequest{}
	if err := proto.Unmarshal(encoded(t, wholeLanguage, "paths=source_relative"), request); err != nil {
		t.Fatal(err)
	}
	for _, file := range request.GetProtoFile() {
		if file.GetName() != "a.proto" {
			file.SourceCodeInfo = nil
		}
	}
	return marshal(t, request)
}

func TestT36_TruncatedRequestsNeverPanic(t *testing.T) {
	t.Parallel()
	whole := encodedBriefly(t)
	for length := range whole {
		checkNoPanic(t, whole[:length])
	}
}

func TestT36_DamagedRequestsNeverPanic(t *testing.T) {
	t.Parallel()
	whole := encodedBriefly(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 5_000 {
		damaged := bytes.Clone(whole)
		for range 1 + random.IntN(4) {
			damaged[random.IntN(len(damaged))] = byte(random.Uint32())
		}
		checkNoPanic(t, damaged)
	}
}

// Requests that decode, and describe what a compiler would have refused.
// What breaks the generator all the same is answered. Requests that do so are mended where they are found: this
// one cannot come over a wire.
func TestT36_PanicsAreAnswered(t *testing.T) {
	t.Parallel()
	response := respond(nil)
	if !strings.Contains(response.GetError(), "internal error") || len(response.GetFile()) != 0 {
		t.Errorf("%v", response)
	}
}

func TestT36_ImpossibleRequestsNeverPanic(t *testing.T) {
	t.Parallel()
	file := func(change func(*descriptorpb.FileDescriptorProto)) *pluginpb.CodeGeneratorRequest {
		made := &descriptorpb.FileDescriptorProto{
			Name:    new("a.proto"),
			Syntax:  new("proto3"),
			Options: &descriptorpb.FileOptions{GoPackage: new("example.com/a")},
		}
		change(made)
		return &pluginpb.CodeGeneratorRequest{
			FileToGenerate: []string{"a.proto"}, ProtoFile: []*descriptorpb.FileDescriptorProto{made},
		}
	}
	for name, request := range map[string]*pluginpb.CodeGeneratorRequest{
		"empty":          {},
		"no descriptor":  {FileToGenerate: []string{"a.proto"}},
		"no name":        file(func(f *descriptorpb.FileDescriptorProto) { f.Name = nil }),
		"no go_package":  file(func(f *descriptorpb.FileDescriptorProto) { f.Options = nil }),
		"missing import": file(func(f *descriptorpb.FileDescriptorProto) { f.Dependency = []string{"b.proto"} }),
		"import of self": file(func(f *descriptorpb.FileDescriptorProto) { f.Dependency = []string{"a.proto"} }),
		"unknown syntax": file(func(f *descriptorpb.FileDescriptorProto) { f.Syntax = new("proto9") }),
		"missing type": file(func(f *descriptorpb.FileDescriptorProto) {
			f.Service = []*descriptorpb.ServiceDescriptorProto{{
				Name: new("A"), Method: []*descriptorpb.MethodDescriptorProto{{Name: new("Get"), InputType: new(".none")}},
			}}
		}),
		"nameless service": file(func(f *descriptorpb.FileDescriptorProto) {
			f.Service = []*descriptorpb.ServiceDescriptorProto{{}}
		}),
		"hostile service": file(func(f *descriptorpb.FileDescriptorProto) {
			f.Service = []*descriptorpb.ServiceDescriptorProto{{Name: new("A\nfunc init() {}")}}
		}),
		"odd positions": file(func(f *descriptorpb.FileDescriptorProto) {
			f.SourceCodeInfo = &descriptorpb.SourceCodeInfo{
				Location: []*descriptorpb.SourceCodeInfo_Location{{Path: []int32{-1}, Span: []int32{1}}, {}},
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkNoPanic(t, marshal(t, request))
		})
	}
}

func TestInputAndOutputThatFail(t *testing.T) {
	t.Parallel()
	var problems bytes.Buffer
	if status := run(nil, failing{}, io.Discard, &problems); status != 1 || !strings.Contains(problems.String(), "closed pipe") {
		t.Errorf("exit status %d, %q", status, &problems)
	}
	problems.Reset()
	in := encoded(t, schema, "")
	if status := run(nil, bytes.NewReader(in), failing{}, &problems); status != 1 || !strings.Contains(problems.String(), "closed pipe") {
		t.Errorf("exit status %d, %q", status, &problems)
	}
}

// failing is an input and an output that is gone.
type failing struct{}

func (failing) Read([]byte) (int, error)  { return 0, io.ErrClosedPipe }
func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
