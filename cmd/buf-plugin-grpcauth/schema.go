package main

import (
	"context"
	"iter"
	"sync"

	"buf.build/go/bufplugin/check"
	"buf.build/go/bufplugin/descriptor"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// schema is what one request is about. Rules run side by side, and share what each part costs.
type schema struct {
	settings settings
	now      func() *version
	earlier  func() *version
}

// version is one state of the schema.
type version struct {
	language policy.Findings // the copy of the option language is another one: rules cannot be read
	files    []*policy.File
}

// each goes through all methods.
func (v *version) each() iter.Seq[*policy.Method] {
	return func(yield func(*policy.Method) bool) {
		for _, file := range v.files {
			for _, service := range file.Services {
				for _, method := range service.Methods {
					if !yield(method) {
						return
					}
				}
			}
		}
	}
}

type schemaKey struct{}

// readBefore runs before the rules of a request.
func readBefore(ctx context.Context, request check.Request) (context.Context, check.Request, error) {
	settings, err := readSettings(request.Options())
	if err != nil {
		return nil, nil, err
	}
	return context.WithValue(ctx, schemaKey{}, &schema{
		settings: settings,
		now:      sync.OnceValue(func() *version { return readVersion(request.FileDescriptors(), false) }),
		earlier:  sync.OnceValue(func() *version { return readVersion(request.AgainstFileDescriptors(), true) }),
	}), request, nil
}

// schemaOf returns what readBefore has put there.
func schemaOf(ctx context.Context) *schema {
	read, _ := ctx.Value(schemaKey{}).(*schema)
	return read
}

// methods finds methods by their full names.
func (v *version) methods() map[protoreflect.FullName]*policy.Method {
	found := map[protoreflect.FullName]*policy.Method{}
	for method := range v.each() {
		found[method.Descriptor.FullName()] = method
	}
	return found
}

// readVersion reads the rules of files. Those that are only imported are read for the earlier version: an RPC
// may have stood there.
func readVersion(files []descriptor.FileDescriptor, imports bool) *version {
	read := &version{}
	all := make([]protoreflect.FileDescriptor, 0, len(files))
	for _, file := range files {
		all = append(all, file.ProtoreflectFileDescriptor())
	}
	if read.language = policy.CheckLanguage(all).Sorted(); len(read.language) > 0 {
		return read
	}
	for i, file := range files {
		if file.IsImport() && !imports {
			continue
		}
		read.files = append(read.files, policy.Read(all[i]))
	}
	return read
}
