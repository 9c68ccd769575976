package policy

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Numbers of descriptor.proto's fields, of which source paths are made.
const (
	fileMessages   = 4
	fileEnums      = 5
	fileServices   = 6
	fileExtensions = 7
	fileOptions    = 8

	serviceMethods = 2
	serviceOptions = 3
	methodOptions  = 4

	messageFields     = 2
	messageEnums      = 4
	messageExtensions = 6
	enumValues        = 2
)

// place is where in the schema something is said.
type place struct {
	file    protoreflect.FileDescriptor
	path    protoreflect.SourcePath
	element string // full name of what is spoken of
}

// sub is a place inside, such as a field of an option.
func (p place) sub(steps ...int32) place {
	p.path = append(slices.Clip(p.path), steps...)
	return p
}

// finding says what is wrong there.
//
// Compilers record positions inside options with different precision, so the longest recorded prefix of
// the path counts, and the message has to name the element itself.
func (p place) finding(format string, args ...any) Finding {
	found := Finding{
		Path: p.file.Path(), Line: 1, Column: 1, Element: p.element, Message: fmt.Sprintf(format, args...),
	}
	locations := p.file.SourceLocations()
	for length := len(p.path); length > 0; length-- {
		if location := locations.ByPath(p.path[:length]); location.Path != nil {
			found.Line, found.Column = location.StartLine+1, location.StartColumn+1
			break
		}
	}
	return found
}

// FindingAt says what is wrong with a file's option go_package, a service or a method.
func FindingAt(descriptor protoreflect.Descriptor, format string, args ...any) Finding {
	switch descriptor := descriptor.(type) {
	case protoreflect.MethodDescriptor:
		return methodPlace(descriptor).finding(format, args...)
	case protoreflect.ServiceDescriptor:
		return servicePlace(descriptor).finding(format, args...)
	default:
		const goPackage = 11
		return filePlace(descriptor.ParentFile()).sub(fileOptions, goPackage).finding(format, args...)
	}
}

func filePlace(file protoreflect.FileDescriptor) place {
	element := "package " + string(file.Package())
	if file.Package() == "" {
		element = "file without package"
	}
	return place{file: file, element: element}
}

func servicePlace(service protoreflect.ServiceDescriptor) place {
	return place{
		file:    service.ParentFile(),
		path:    protoreflect.SourcePath{fileServices, int32(service.Index())}, //nolint:gosec // an index
		element: string(service.FullName()),
	}
}

func methodPlace(method protoreflect.MethodDescriptor) place {
	service, _ := method.Parent().(protoreflect.ServiceDescriptor)
	inside := servicePlace(service).sub(serviceMethods, int32(method.Index())) //nolint:gosec // an index
	inside.element = string(method.FullName())
	return inside
}
