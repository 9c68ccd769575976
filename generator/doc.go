// Package generator writes the Go code of protoc-gen-go-grpcauth.
//
// The way from .proto to code, in reading order:
//
//	generate.go    the steps: parameters, checks, rules, names, files
//	parameters.go  --go-grpcauth_opt
//	paths.go       refuses package names and paths that could not be trusted
//	language.go    finds the schema's copy of the option language
//	names.go       computes every Go identifier
//	kind.go        what becomes of a header's value at run time, and its Go type
//	clashes.go     refuses identifiers that the Go package already has
//	view.go        rules and names, arranged for the templates
//	comments.go    sentences of doc comments
//	tables.go      tables of doc comments
//	render.go      templates to files
//
// Rules come from package internal/policy, resolved. Rendering decides nothing and validates nothing.
package generator
