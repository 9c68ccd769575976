package main

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/pluginpb"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// readRequest decodes the request and leaves our own options as bytes. The generator decodes those one
// by one, so that one which cannot be decoded (another extension uses our number) is reported with its
// position instead of failing the whole request.
func readRequest(in []byte) (*pluginpb.CodeGeneratorRequest, error) {
	request := &pluginpb.CodeGeneratorRequest{}
	if err := (proto.UnmarshalOptions{Resolver: withoutOurs{}}).Unmarshal(in, request); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return request, nil
}

// withoutOurs resolves the extensions that are linked in, except those of the option language.
type withoutOurs struct{}

func (withoutOurs) FindExtensionByName(name protoreflect.FullName) (protoreflect.ExtensionType, error) {
	return protoregistry.GlobalTypes.FindExtensionByName(name) //nolint:wrapcheck // the resolver's contract: NotFound
}

func (withoutOurs) FindExtensionByNumber(
	message protoreflect.FullName, number protoreflect.FieldNumber,
) (protoreflect.ExtensionType, error) {
	found, err := protoregistry.GlobalTypes.FindExtensionByNumber(message, number)
	if err == nil && found.TypeDescriptor().ParentFile() == grpcauthv1.File_grpcauth_v1_options_proto {
		return nil, protoregistry.NotFound
	}
	return found, err //nolint:wrapcheck // as above
}
