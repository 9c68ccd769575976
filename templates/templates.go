// Package templates holds the shape of the generated code. The decisions are made before, in package
// generator, and the logic is in the runtime, package grpcauth.
package templates

import (
	"embed"
	"text/template"
)

//go:embed *.go.tmpl
var files embed.FS

// Parse reads the templates with the given functions: one per Go package that generated code imports.
// The template of a whole file is "file.go.tmpl".
func Parse(functions template.FuncMap) (*template.Template, error) {
	//nolint:wrapcheck // it names the template and the line
	return template.New("").Option("missingkey=error").Funcs(functions).ParseFS(files, "*.go.tmpl")
}
