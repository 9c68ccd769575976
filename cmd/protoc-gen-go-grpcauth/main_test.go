package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/generator"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
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
}

// encodedBriefly is a request in which imported files have no positions and comments: the manual of the
// option language would be most of it.
func encodedBriefly(t *testing.T) []byte {
	t.Helper()
	request := &pluginpb.CodeGeneratorRequest{}
	if err := proto.Unmarshal(encoded(t, schema, "paths=source_relative"), request); err != nil {
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
