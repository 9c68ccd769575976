// Package compile turns .proto sources into the request that protoc sends to its plugins, in process.
//
// It serves the regeneration of the committed code and the tests on machines that have neither protoc
// nor buf. It knows the syntaxes proto2, proto3 and edition 2023.
package compile

import (
	"context"
	"fmt"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

// Dirs resolves imports in the given directories, in order, as protoc's -I does.
func Dirs(dirs ...string) *protocompile.SourceResolver {
	return &protocompile.SourceResolver{ImportPaths: dirs}
}

// Sources resolves imports in a map from path to .proto text first, then in the given directories.
func Sources(texts map[string]string, dirs ...string) protocompile.Resolver {
	return protocompile.CompositeResolver{
		&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(texts)},
		Dirs(dirs...),
	}
}

// Request compiles the files and what they import. Source positions have protoc's precision, and the
// compiler's version is left unset, as buf leaves it. The error is the compiler's, with file, line and
// column.
func Request(
	ctx context.Context, sources protocompile.Resolver, parameter string, files ...string,
) (*pluginpb.CodeGeneratorRequest, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(sources),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(ctx, files...)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}

	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: files, Parameter: new(parameter)}
	seen := map[string]bool{}
	for _, file := range compiled {
		request.ProtoFile = appendWithImports(request.GetProtoFile(), seen, file)
	}
	return overTheWire(request)
}

// appendWithImports adds a file after all that it imports: plugins rely on that order.
func appendWithImports(
	list []*descriptorpb.FileDescriptorProto, seen map[string]bool, file protoreflect.FileDescriptor,
) []*descriptorpb.FileDescriptorProto {
	if seen[file.Path()] {
		return list
	}
	seen[file.Path()] = true
	for i := range file.Imports().Len() {
		imported := file.Imports().Get(i).FileDescriptor
		if result, ok := file.(linker.File); ok {
			if dep := result.FindImportByPath(file.Imports().Get(i).Path()); dep != nil {
				imported = dep
			}
		}
		list = appendWithImports(list, seen, imported)
	}
	return append(list, protoutil.ProtoFromFileDescriptor(file))
}

// overTheWire gives the request the form in which a plugin's process first sees it: custom options, which
// the compiler holds as dynamic messages, become unknown fields.
func overTheWire(request *pluginpb.CodeGeneratorRequest) (*pluginpb.CodeGeneratorRequest, error) {
	wire, err := proto.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	read := &pluginpb.CodeGeneratorRequest{}
	if err := (proto.UnmarshalOptions{Resolver: new(protoregistry.Types)}).Unmarshal(wire, read); err != nil {
		return nil, fmt.Errorf("decode request: %w", err)
	}
	return read, nil
}
