package policy

import (
	"google.golang.org/protobuf/reflect/protoreflect"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// CheckLanguage compares the option language in a schema with the one compiled in. A copy in which a
// field or an extension has another number or type would make rules vanish, and so would a foreign
// extension under our number. Additions are fine: their use is found rule by rule.
func CheckLanguage(files []protoreflect.FileDescriptor) Findings {
	ours := languageOf(grpcauthv1.File_grpcauth_v1_options_proto)
	var findings Findings
	for _, file := range files {
		theirs := languageOf(file)
		for _, name := range theirs.fieldNames {
			field := theirs.fields[name]
			if known, ok := ours.fields[name]; ok {
				findings = append(findings, compareFields(theirs.places[name], field, known)...)
				continue
			}
			if taken := ours.sameNumber(field); taken != nil {
				findings = append(findings, theirs.places[name].finding(
					"number %d is that of %s in this protoc-gen-go-grpcauth: grpcauth options would be misread",
					field.Number(), taken.FullName()))
			}
		}
		for _, name := range theirs.valueNames {
			if known, ok := ours.values[name]; ok && known != theirs.values[name] {
				findings = append(findings, theirs.places[name].finding(
					"has number %d, and %d in this protoc-gen-go-grpcauth: "+
						"use the grpcauth/v1/options.proto that comes with it",
					theirs.values[name], known))
			}
		}
	}
	return findings
}

func compareFields(at place, field, known protoreflect.FieldDescriptor) Findings {
	const mend = ": use the grpcauth/v1/options.proto that comes with it"
	var findings Findings
	if field.Number() != known.Number() {
		findings = append(findings, at.finding("has number %d, and %d in this protoc-gen-go-grpcauth"+mend,
			field.Number(), known.Number()))
	}
	if typeOf(field) != typeOf(known) {
		findings = append(findings, at.finding("has type %s, and %s in this protoc-gen-go-grpcauth"+mend,
			typeOf(field), typeOf(known)))
	}
	return findings
}

// typeOf spells what decides about a field's meaning besides its number.
func typeOf(field protoreflect.FieldDescriptor) string {
	spelled := field.Kind().String()
	if field.Cardinality() == protoreflect.Repeated {
		spelled = "repeated " + spelled
	}
	if field.Message() != nil {
		spelled += " " + string(field.Message().FullName())
	}
	if field.Enum() != nil {
		spelled += " " + string(field.Enum().FullName())
	}
	if oneof := field.ContainingOneof(); oneof != nil && !oneof.IsSynthetic() {
		spelled += " in oneof " + string(oneof.Name())
	}
	if field.IsExtension() {
		spelled += " extending " + string(field.ContainingMessage().FullName())
	}
	return spelled
}

// language is what a file says about the messages, enums and extensions of the option language.
type language struct {
	fieldNames []protoreflect.FullName // fields and extensions, in declaration order
	fields     map[protoreflect.FullName]protoreflect.FieldDescriptor
	valueNames []protoreflect.FullName
	values     map[protoreflect.FullName]protoreflect.EnumNumber
	places     map[protoreflect.FullName]place
}

// sameNumber finds the field or extension of the language that a field of another name would be read as.
func (l *language) sameNumber(field protoreflect.FieldDescriptor) protoreflect.FieldDescriptor {
	for _, name := range l.fieldNames {
		known := l.fields[name]
		if known.Number() == field.Number() &&
			known.ContainingMessage().FullName() == field.ContainingMessage().FullName() {
			return known
		}
	}
	return nil
}

func languageOf(file protoreflect.FileDescriptor) *language {
	found := &language{
		fields: map[protoreflect.FullName]protoreflect.FieldDescriptor{},
		values: map[protoreflect.FullName]protoreflect.EnumNumber{},
		places: map[protoreflect.FullName]place{},
	}
	at := place{file: file}
	ours := file.Package() == grpcauthv1.File_grpcauth_v1_options_proto.Package()
	found.addExtensions(at.sub(fileExtensions), file.Extensions())
	for i := range file.Messages().Len() {
		found.addMessage(at.sub(fileMessages, int32(i)), file.Messages().Get(i), ours)
	}
	if ours {
		found.addEnums(at.sub(fileEnums), file.Enums())
	}
	return found
}

func (l *language) addExtensions(at place, extensions protoreflect.ExtensionDescriptors) {
	for i := range extensions.Len() {
		l.addField(at.sub(int32(i)), extensions.Get(i))
	}
}

// addMessage adds a message's fields if it is one of the language, and extensions declared in any message.
func (l *language) addMessage(at place, message protoreflect.MessageDescriptor, ours bool) {
	l.addExtensions(at.sub(messageExtensions), message.Extensions())
	for i := range message.Messages().Len() {
		const nestedMessages = 3
		l.addMessage(at.sub(nestedMessages, int32(i)), message.Messages().Get(i), ours)
	}
	if !ours {
		return
	}
	for i := range message.Fields().Len() {
		l.addField(at.sub(messageFields, int32(i)), message.Fields().Get(i))
	}
	l.addEnums(at.sub(messageEnums), message.Enums())
}

func (l *language) addField(at place, field protoreflect.FieldDescriptor) {
	at.element = string(field.FullName())
	l.fieldNames = append(l.fieldNames, field.FullName())
	l.fields[field.FullName()] = field
	l.places[field.FullName()] = at
}

func (l *language) addEnums(at place, enums protoreflect.EnumDescriptors) {
	for i := range enums.Len() {
		for j := range enums.Get(i).Values().Len() {
			value := enums.Get(i).Values().Get(j)
			inside := at.sub(int32(i), enumValues, int32(j))
			inside.element = string(value.FullName())
			l.valueNames = append(l.valueNames, value.FullName())
			l.values[value.FullName()] = value.Number()
			l.places[value.FullName()] = inside
		}
	}
}
