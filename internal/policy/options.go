package policy

import (
	"errors"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/runtime/protoimpl"
	"google.golang.org/protobuf/types/descriptorpb"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// errUndecodable is returned without the decoder's own text, which changes between its versions.
var errUndecodable = errors.New("the option cannot be decoded as a grpcauth.v1.Rule")

func fileRule(file protoreflect.FileDescriptor) (*grpcauthv1.Rule, error) {
	return readRule(file.Options(), &descriptorpb.FileOptions{}, grpcauthv1.E_File)
}

func serviceRule(service protoreflect.ServiceDescriptor) (*grpcauthv1.Rule, error) {
	return readRule(service.Options(), &descriptorpb.ServiceOptions{}, grpcauthv1.E_Service)
}

func methodRule(method protoreflect.MethodDescriptor) (*grpcauthv1.Rule, error) {
	return readRule(method.Options(), &descriptorpb.MethodOptions{}, grpcauthv1.E_Method)
}

// readRule returns the rule among the options, or nil where there is none.
//
// Depending on who decoded the options, the rule is there as the Go type, as a dynamic message, or as
// bytes that nobody knew. The last two are decoded again, into fresh, so that no rule is overlooked, whatever
// types the process has registered.
func readRule(options, fresh proto.Message, extension *protoimpl.ExtensionInfo) (*grpcauthv1.Rule, error) {
	if options == nil || !options.ProtoReflect().IsValid() {
		return nil, nil //nolint:nilnil // having no rule is no error
	}
	number := extension.TypeDescriptor().Number()
	if !holdsField(options, number) {
		return nil, nil //nolint:nilnil // as above
	}
	if rule := decodedRule(options, number); rule != nil {
		return rule, nil
	}
	wire, err := proto.Marshal(options)
	if err != nil {
		return nil, errUndecodable
	}
	known := new(protoregistry.Types)
	if err := known.RegisterExtension(extension); err != nil {
		return nil, errUndecodable
	}
	if err := (proto.UnmarshalOptions{Resolver: known}).Unmarshal(wire, fresh); err != nil {
		return nil, errUndecodable
	}
	if rule := decodedRule(fresh, number); rule != nil {
		return rule, nil
	}
	return nil, errUndecodable
}

// decodedRule returns the rule if the options hold it as the linked-in Go type, and wholly.
func decodedRule(options proto.Message, number protoreflect.FieldNumber) *grpcauthv1.Rule {
	if holdsUnknown(options.ProtoReflect().GetUnknown(), number) {
		return nil
	}
	var rule *grpcauthv1.Rule
	options.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Number() == number && field.Message() != nil && !field.IsList() && !field.IsMap() {
			rule, _ = value.Message().Interface().(*grpcauthv1.Rule)
		}
		return rule == nil
	})
	return rule
}

// holdsField looks for a field by number, in whatever form it is there.
func holdsField(options proto.Message, number protoreflect.FieldNumber) bool {
	found := holdsUnknown(options.ProtoReflect().GetUnknown(), number)
	options.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		found = found || field.Number() == number
		return !found
	})
	return found
}

func holdsUnknown(unknown protoreflect.RawFields, number protoreflect.FieldNumber) bool {
	for len(unknown) > 0 {
		found, _, length := protowire.ConsumeField(unknown)
		if length < 0 {
			return true // not decodable: let the decoder say so
		}
		if found == number {
			return true
		}
		unknown = unknown[length:]
	}
	return false
}

// unknownNumbers lists the numbers of fields that a decoder did not know, each once.
func unknownNumbers(unknown protoreflect.RawFields) []protoreflect.FieldNumber {
	var numbers []protoreflect.FieldNumber
	for len(unknown) > 0 {
		number, _, length := protowire.ConsumeField(unknown)
		if length < 0 {
			return append(numbers, 0)
		}
		if !slices.Contains(numbers, number) {
			numbers = append(numbers, number)
		}
		unknown = unknown[length:]
	}
	return numbers
}
