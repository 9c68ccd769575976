package main

import (
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// leaveRulesAsBytes makes decoders that use the types linked in, which is what bufplugin does, leave our options
// as bytes. internal/policy decodes them one by one. So one that cannot be decoded, because another extension
// uses our number, is reported at its place instead of failing the whole request without one.
func leaveRulesAsBytes() {
	others := new(protoregistry.Types)
	keep := func(err error) {
		if err != nil {
			panic(err) // the registry that is copied has the same rules
		}
	}
	linked := protoregistry.GlobalTypes
	linked.RangeEnums(func(found protoreflect.EnumType) bool {
		keep(others.RegisterEnum(found))
		return true
	})
	linked.RangeMessages(func(found protoreflect.MessageType) bool {
		keep(others.RegisterMessage(found))
		return true
	})
	linked.RangeExtensions(func(found protoreflect.ExtensionType) bool {
		if found.TypeDescriptor().ParentFile() != grpcauthv1.File_grpcauth_v1_options_proto {
			keep(others.RegisterExtension(found))
		}
		return true
	})
	protoregistry.GlobalTypes = others
}
