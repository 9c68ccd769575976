package generator

import (
	"fmt"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// checkClashes refuses identifiers that would not compile: two of ours that are the same, and ours that
// protoc-gen-go or protoc-gen-go-grpc writes into the same Go package.
func checkClashes(plugin *protogen.Plugin, files []*file) policy.Findings {
	packages := map[protogen.GoImportPath]symbols{}
	for _, file := range files {
		if len(file.services) > 0 {
			packages[file.source.GoImportPath] = symbols{}
		}
	}
	for _, source := range plugin.Files {
		if known, ok := packages[source.GoImportPath]; ok {
			known.addFile(source)
			if !source.Generate { // its generated code is there from another run
				services, _ := policy.Resolve(source.Desc, false)
				_ = known.addServices(nameFile(source, services)) // that run has reported its own
			}
		}
	}
	var findings policy.Findings
	for _, file := range files {
		findings = append(findings, packages[file.source.GoImportPath].addServices(file)...)
	}
	return findings
}

// symbols maps the identifiers of one Go package to what they come from, in words.
type symbols map[string]string

func (s symbols) add(origin string, names ...string) {
	for _, name := range names {
		s[name] = origin
	}
}

// addServices adds what we write for the services of a file, and returns the clashes.
func (s symbols) addServices(file *file) policy.Findings {
	var findings policy.Findings
	for _, service := range file.services {
		origin := fmt.Sprintf("service %s", service.Descriptor.FullName())
		claim := func(name, origin string) {
			if other, taken := s[name]; taken {
				findings = append(findings, policy.FindingAt(service.Descriptor,
					"the generated Go name %s of %s is also that of %s: rename one of them", name, origin, other))
				return
			}
			s[name] = origin
		}
		claim(service.newServer, origin)
		claim(service.newClient, origin)
		claim(service.rules, origin)
		if len(service.slots) > 0 {
			claim(service.credentials, origin)
		}
		if len(service.verified()) > 0 {
			claim(service.verifier, origin)
		}
		findings = append(findings, checkMethods(service)...)
		findings = append(findings, checkTypes(service)...)
		findings = append(findings, checkFields(service, claim)...)
	}
	return findings
}

// checkMethods refuses methods that differ only in what Go's exported names cannot express.
func checkMethods(service *service) policy.Findings {
	var findings policy.Findings
	seen := map[string]protoreflect.Name{}
	for _, method := range service.source.Methods {
		if other, taken := seen[method.GoName]; taken {
			findings = append(findings, policy.FindingAt(method.Desc,
				"the generated Go name %s is also that of method %s: rename one of them", method.GoName, other))
			continue
		}
		seen[method.GoName] = method.Desc.Name()
	}
	return findings
}

// checkTypes refuses a slot with two types: it has one accessor, one verifier and one source.
func checkTypes(service *service) policy.Findings {
	var findings policy.Findings
	for _, method := range service.Methods {
		for header := range method.All() {
			slot := service.known[keyOf(header)]
			if slot != nil && header.Type != slot.header.Type {
				findings = append(findings, policy.FindingAt(method.Descriptor,
					"header %q is %s here and %s in %s: a header has one type in a service",
					header.Name, header.Type, slot.header.Type, slot.methods[0].Descriptor.Name()))
			}
		}
	}
	return findings
}

// checkFields refuses slots that would share a field of the credentials, and with it an accessor or a
// method of the verifier.
func checkFields(service *service, claim func(name, origin string)) policy.Findings {
	var findings policy.Findings
	fields := map[string]*slot{}
	for _, slot := range service.slots {
		other, taken := fields[slot.field]
		if !taken {
			fields[slot.field] = slot
			if slot.accessor != "" {
				claim(slot.accessor, fmt.Sprintf(
					"header %q of service %s", slot.header.Name, service.Descriptor.FullName()))
			}
			continue
		}
		remedy := "rename one of them"
		if slot.header.Name == other.header.Name {
			remedy = "use one of the two in the whole service"
		}
		findings = append(findings, policy.FindingAt(service.Descriptor,
			"%s and %s have the same Go name %s: %s", other, slot, slot.field, remedy))
	}
	return findings
}

// addFile adds what protoc-gen-go and protoc-gen-go-grpc write for a file.
func (s symbols) addFile(source *protogen.File) {
	s.add("file "+source.Desc.Path(), source.GoDescriptorIdent.GoName)
	s.addMessages(source.Messages)
	s.addEnums(source.Enums)
	s.addExtensions(source.Extensions)
	for _, service := range source.Services {
		name := service.GoName
		s.add("the gRPC code of service "+string(service.Desc.FullName()),
			name+"Client", name+"Server", "New"+name+"Client", "Register"+name+"Server",
			"Unimplemented"+name+"Server", "Unsafe"+name+"Server", name+"_ServiceDesc")
		for _, method := range service.Methods {
			s.add("the gRPC code of method "+string(method.Desc.FullName()),
				name+"_"+method.GoName+"_FullMethodName",
				name+"_"+method.GoName+"Client", name+"_"+method.GoName+"Server")
		}
	}
}

func (s symbols) addMessages(messages []*protogen.Message) {
	for _, message := range messages {
		origin := "message " + string(message.Desc.FullName())
		s.add(origin, message.GoIdent.GoName, message.GoIdent.GoName+"_builder")
		for _, field := range message.Fields {
			if field.Oneof != nil {
				s.add("field "+string(field.Desc.FullName()), field.GoIdent.GoName)
			}
		}
		s.addMessages(message.Messages)
		s.addEnums(message.Enums)
		s.addExtensions(message.Extensions)
	}
}

func (s symbols) addEnums(enums []*protogen.Enum) {
	for _, enum := range enums {
		s.add("enum "+string(enum.Desc.FullName()),
			enum.GoIdent.GoName, enum.GoIdent.GoName+"_name", enum.GoIdent.GoName+"_value")
		for _, value := range enum.Values {
			s.add("enum value "+string(value.Desc.FullName()), value.GoIdent.GoName)
		}
	}
}

func (s symbols) addExtensions(extensions []*protogen.Extension) {
	for _, extension := range extensions {
		s.add("extension "+string(extension.Desc.FullName()), extension.GoIdent.GoName)
	}
}
