package policy

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// unknownFields looks for fields that the compiled-in option language does not have, at any depth.
func unknownFields(at place, message protoreflect.Message) Findings {
	if !holdsUnknownFields(message) {
		return nil // as in nearly every schema: places are put together for those that have one
	}
	var findings Findings
	for _, number := range unknownNumbers(message.GetUnknown()) {
		findings = append(findings, at.finding("unknown field %d: the schema's options are newer than this "+
			"protoc-gen-go-grpcauth; update it", number))
	}
	fields := message.Descriptor().Fields()
	for i := range fields.Len() { // in declaration order: Range has none
		field := fields.Get(i)
		if field.Message() == nil || !message.Has(field) {
			continue
		}
		number, name := int32(field.Number()), string(field.Name())
		if !field.IsList() {
			findings = append(findings, unknownFields(at.in(number, name), message.Get(field).Message())...)
			continue
		}
		list := message.Get(field).List()
		for j := range list.Len() {
			findings = append(findings, unknownFields(at.item(number, name, j), list.Get(j).Message())...)
		}
	}
	return findings
}

func holdsUnknownFields(message protoreflect.Message) bool {
	found := len(message.GetUnknown()) > 0
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil:
		case !field.IsList():
			found = found || holdsUnknownFields(value.Message())
		default:
			for i := range value.List().Len() {
				found = found || holdsUnknownFields(value.List().Get(i).Message())
			}
		}
		return !found
	})
	return found
}
