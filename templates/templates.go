// Package templates holds the shape of the generated code. The decisions are made before, in package
// generator, and the logic is in the runtime, package grpcauth.
package templates

import (
	"embed"
	"fmt"
	"text/template"
)

//go:embed *.go.tmpl
var files embed.FS

// Parse reads the templates with the given functions: one per Go package that generated code imports.
// The template of a whole file is "file.go.tmpl".
func Parse(functions template.FuncMap) (*template.Template, error) {
	parsed, err := template.New("").Option("missingkey=error").Funcs(functions).ParseFS(files, "*.go.tmpl")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	return parsed, nil
}
