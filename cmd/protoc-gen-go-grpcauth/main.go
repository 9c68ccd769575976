// Command protoc-gen-go-grpcauth is a plugin of protoc and buf. It reads the grpcauth options of .proto
// files and writes, for every file in which a service has rules, <file>_grpcauth.pb.go: server
// interceptors that refuse a call without the metadata that its method requires, and client
// interceptors that supply it.
//
// With protoc, where the plugin is on the PATH:
//
//	protoc -I proto/options -I . --go-grpcauth_out=. --go-grpcauth_opt=paths=source_relative greeter.proto
//
// With buf, in buf.gen.yaml:
//
//	plugins:
//	  - local: protoc-gen-go-grpcauth
//	    out: gen
//	    opt: paths=source_relative
//
// Parameters:
//
//	paths=import|source_relative   where files are written, as for protoc-gen-go
//	module=PREFIX                  prefix to strip from the paths of files, as for protoc-gen-go
//	M<file>=<import path>          Go package of a .proto file, as for protoc-gen-go
//	require_all=true               a service without any rule is an error
//
// Run by hand, it knows --version and --help.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/generator"
)

const help = `protoc-gen-go-grpcauth ` + generator.Version + `

A plugin of protoc and buf: writes Go interceptors from the grpcauth options of .proto files.
It is not run by hand, but as

    protoc -I proto/options -I . --go-grpcauth_out=. --go-grpcauth_opt=paths=source_relative greeter.proto

or by buf generate, named in buf.gen.yaml.

Parameters (--go-grpcauth_opt):
    paths=import|source_relative   where files are written, as for protoc-gen-go
    module=PREFIX                  prefix to strip from the paths of files, as for protoc-gen-go
    M<file>=<import path>          Go package of a .proto file, as for protoc-gen-go
    require_all=true               a service without any rule is an error

Flags:
    --version    print the version
    --help       print this text
`

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run returns the exit status. What is wrong with a schema goes into the response, as plugins do it;
// only a request that cannot be read at all goes to stderr.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		return runByHand(args, stdout, stderr)
	}
	in, err := io.ReadAll(stdin)
	if err != nil {
		return fail(stderr, "read the request: %v", err)
	}
	request, err := readRequest(in)
	if err != nil {
		return fail(stderr,
			"the input is no CodeGeneratorRequest: %v (this program is run by protoc or buf; see --help)", err)
	}
	out, err := proto.Marshal(respond(request))
	if err != nil {
		return fail(stderr, "encode the response: %v", err)
	}
	if _, err := stdout.Write(out); err != nil {
		return fail(stderr, "write the response: %v", err)
	}
	return 0
}

func runByHand(args []string, stdout, stderr io.Writer) int {
	switch args[0] {
	case "--version", "-version":
		_, _ = fmt.Fprintln(stdout, "protoc-gen-go-grpcauth", generator.Version)
		return 0
	case "--help", "-help", "-h":
		_, _ = fmt.Fprint(stdout, help)
		return 0
	}
	return fail(stderr, "unknown argument %q; see --help", args[0])
}

func fail(stderr io.Writer, format string, args ...any) int {
	_, _ = fmt.Fprintf(stderr, "protoc-gen-go-grpcauth: "+format+"\n", args...)
	return 1
}

// respond never panics: a schema that breaks the generator is answered with an error, and no files.
func respond(request *pluginpb.CodeGeneratorRequest) (response *pluginpb.CodeGeneratorResponse) {
	defer func() {
		if broken := recover(); broken != nil {
			response = failed(fmt.Errorf("internal error, please report it with your .proto file: %v", broken))
		}
	}()
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		return failed(err)
	}
	collectEarly()
	if err := generator.Generate(plugin); err != nil {
		plugin.Error(err)
	}
	return declareSupport(plugin.Response())
}

// collectEarly keeps the program small: from here on, the descriptors stay, and what is formatted is garbage soon.
// At the usual 100 % it would grow to twice the descriptors before any of that is collected.
func collectEarly() {
	const percent = 30
	debug.SetGCPercent(percent)
}

func failed(err error) *pluginpb.CodeGeneratorResponse {
	return declareSupport(&pluginpb.CodeGeneratorResponse{Error: new(err.Error())})
}

// declareSupport tells the compiler which files this plugin can read. It goes with errors too: without
// it, compilers report a missing support of editions instead of the error.
func declareSupport(response *pluginpb.CodeGeneratorResponse) *pluginpb.CodeGeneratorResponse {
	const features = pluginpb.CodeGeneratorResponse_FEATURE_PROTO3_OPTIONAL |
		pluginpb.CodeGeneratorResponse_FEATURE_SUPPORTS_EDITIONS
	response.SupportedFeatures = new(uint64(features))
	response.MinimumEdition = new(int32(descriptorpb.Edition_EDITION_PROTO2))
	response.MaximumEdition = new(int32(descriptorpb.Edition_EDITION_2024))
	return response
}
