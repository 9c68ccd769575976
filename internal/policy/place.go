package policy

import (
	"fmt"
	"slices"
	"strconv"

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
	label   string // what inside its option, as messages name it: "headers[0].name"
}

// sub is a place inside, by the numbers of descriptors' fields and by indexes.
func (p place) sub(steps ...int32) place {
	p.path = append(slices.Clip(p.path), steps...)
	return p
}

// in is a field of an option, by number and name.
func (p place) in(number int32, name string) place {
	if p.label != "" {
		name = p.label + "." + name
	}
	p.label = name
	return p.sub(number)
}

// item is an element of a repeated field of an option.
func (p place) item(number int32, name string, index int) place {
	return p.in(number, name+"["+strconv.Itoa(index)+"]").sub(int32(index)) //nolint:gosec // an index
}

// finding says what is wrong there.
func (p place) finding(format string, args ...any) Finding {
	message := fmt.Sprintf(format, args...)
	if p.label != "" {
		message = p.label + ": " + message
	}
	path, line, column := p.recorded()
	return Finding{
		Path: p.file.Path(), Line: line, Column: column, Element: p.element, Message: message, SourcePath: path,
	}
}

// recorded is the part of the path that has a position in the file's text, and that position, from 1.
//
// Compilers record positions inside options with different precision, so the longest recorded prefix of
// the path counts, and messages have to name the element themselves.
func (p place) recorded() (path protoreflect.SourcePath, line, column int) {
	locations := p.file.SourceLocations()
	for length := len(p.path); length > 0; length-- {
		if location := locations.ByPath(p.path[:length]); location.Path != nil {
			return location.Path, location.StartLine + 1, location.StartColumn + 1
		}
	}
	return nil, 1, 1
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
