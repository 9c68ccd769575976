package main

import (
	"errors"
	"fmt"
	"path"

	"buf.build/go/bufplugin/descriptor"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/generator"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// refusals returns what the generator would refuse.
//
// Which Go package a file belongs to may be said elsewhere, by buf's managed mode or by protoc's parameters. So
// files without go_package share one with the files of their directory and package, as in managed mode; and
// where the Go packages that are stated do not do for protoc-gen-go either, all files do.
func refusals(files []descriptor.FileDescriptor) (policy.Findings, error) {
	plugin, err := protogen.Options{}.New(codeRequest(files, true))
	if err != nil {
		plugin, err = protogen.Options{}.New(codeRequest(files, false))
	}
	if err != nil {
		return nil, fmt.Errorf("read the schema as protoc-gen-go does: %w", err)
	}
	err = generator.Check(plugin)
	var findings policy.Findings
	if err != nil && !errors.As(err, &findings) {
		return nil, err
	}
	return findings.Sorted(), nil
}

// codeRequest is the request that a compiler would send to the generator.
func codeRequest(files []descriptor.FileDescriptor, stated bool) *pluginpb.CodeGeneratorRequest {
	request := &pluginpb.CodeGeneratorRequest{}
	byPath := make(map[string]*descriptorpb.FileDescriptorProto, len(files))
	for _, file := range files {
		byPath[file.FileDescriptorProto().GetName()] = file.FileDescriptorProto()
	}
	var add func(name string)
	add = func(name string) { // after all that it imports, as plugins expect
		file := byPath[name]
		if file == nil {
			return
		}
		delete(byPath, name)
		for _, imported := range file.GetDependency() {
			add(imported)
		}
		request.ProtoFile = append(request.ProtoFile, withGoPackage(file, stated))
	}
	for _, file := range files {
		if !file.IsImport() {
			request.FileToGenerate = append(request.FileToGenerate, file.FileDescriptorProto().GetName())
		}
		add(file.FileDescriptorProto().GetName())
	}
	return request
}

// withGoPackage returns the file itself if it states a Go package, or else a copy, as shallow as can be, with
// one for its directory and package.
func withGoPackage(file *descriptorpb.FileDescriptorProto, stated bool) *descriptorpb.FileDescriptorProto {
	if stated && file.GetOptions().GetGoPackage() != "" {
		return file
	}
	options := &descriptorpb.FileOptions{}
	shallowCopy(options, file.GetOptions())
	options.GoPackage = new(fmt.Sprintf("lint.invalid/%x/%x;lint", path.Dir(file.GetName()), file.GetPackage()))
	copied := &descriptorpb.FileDescriptorProto{}
	shallowCopy(copied, file)
	copied.Options = options
	return copied
}

// shallowCopy shares what messages and lists hold.
func shallowCopy(to, from proto.Message) {
	from.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		to.ProtoReflect().Set(field, value)
		return true
	})
	to.ProtoReflect().SetUnknown(from.ProtoReflect().GetUnknown())
}
