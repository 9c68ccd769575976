package policy

import (
	"google.golang.org/protobuf/reflect/protoreflect"
)

// unknownFields looks for fields that the compiled-in option language does not have, at any depth.
func unknownFields(at place, message protoreflect.Message) Findings {
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
