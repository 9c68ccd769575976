package generator

import (
	"fmt"
	"text/template"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/grpcauth/protoc-gen-go-grpcauth/templates"
)

// imports are the packages that generated code may use. A template calls the function of that name:
// {{grpcauth "ServerOption"}} prints the qualified identifier and imports its package.
var imports = map[string]protogen.GoImportPath{ //nolint:gochecknoglobals // a constant table
	"context":  "context",
	"codes":    "google.golang.org/grpc/codes",
	"grpcauth": "github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth",
	"authimpl": "github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl",
}

// render writes the files in which a service has rules.
func render(plugin *protogen.Plugin, files []*file) error {
	// The templates are parsed once; what a function imports goes to the file that is written.
	var out *protogen.GeneratedFile
	functions := template.FuncMap{}
	for name, path := range imports {
		functions[name] = func(identifier string) string {
			return out.QualifiedGoIdent(path.Ident(identifier))
		}
	}
	parsed, err := templates.Parse(functions)
	if err != nil {
		return fmt.Errorf("generator: %w", err)
	}
	for _, file := range files {
		if len(file.services) == 0 {
			continue
		}
		name := file.source.GeneratedFilenamePrefix + "_grpcauth.pb.go"
		out = plugin.NewGeneratedFile(name, file.source.GoImportPath)
		if err := parsed.ExecuteTemplate(out, "file.go.tmpl", viewFile(plugin, file)); err != nil {
			return fmt.Errorf("generator: %s: %w", name, err)
		}
	}
	return nil
}
