package generator

import (
	"fmt"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// checkLanguage compares the option language in the request with the one compiled in.
func checkLanguage(plugin *protogen.Plugin) (policy.Findings, error) {
	files, err := allFiles(plugin)
	if err != nil {
		return nil, err
	}
	return policy.CheckLanguage(files), nil
}

// allFiles returns every file of the request. protogen leaves out those that are only imported for
// their options (edition 2024's `import option`), which is how the option language may come.
func allFiles(plugin *protogen.Plugin) ([]protoreflect.FileDescriptor, error) {
	files := make([]protoreflect.FileDescriptor, 0, len(plugin.Files))
	for _, file := range plugin.Files {
		files = append(files, file.Desc)
	}
	if len(files) == len(plugin.Request.GetProtoFile()) {
		return files, nil
	}
	lenient := protodesc.FileOptions{AllowUnresolvable: true}
	registry, err := lenient.NewFiles(&descriptorpb.FileDescriptorSet{File: plugin.Request.GetProtoFile()})
	if err != nil {
		return nil, fmt.Errorf("read the request's descriptors: %w", err)
	}
	for _, proto := range plugin.Request.GetProtoFile() {
		if plugin.FilesByPath[proto.GetName()] != nil {
			continue
		}
		file, err := registry.FindFileByPath(proto.GetName())
		if err != nil {
			return nil, fmt.Errorf("read the request's descriptors: %w", err)
		}
		files = append(files, file)
	}
	return files, nil
}
