package tools

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/plugins"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/schema"
)

// importing is what generated code imports, and nothing else.
const importing = `package load

import (
	_ "context"

	_ "github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	_ "github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	_ "google.golang.org/grpc/codes"
)
`

// Compilation measures the compiler on what our plugin writes for a service of 2,000 methods, on an empty package,
// and on one that only imports the same.
func (w *Workshop) Compilation(rounds int) (*measure.Group, error) {
	const methods = 2000
	request, err := w.request(schema.Load(1, methods))
	if err != nil {
		return nil, err
	}
	files, err := plugins.Run(w.ours, request)
	if err != nil {
		return nil, err
	}
	if len(files) != 1 {
		return nil, errors.New("our plugin did not write one file")
	}
	compiler, imports, err := w.compiler()
	if err != nil {
		return nil, err
	}
	group := &measure.Group{
		Name: "compile", Title: "The compiler's process", CPU: true, Resident: true, Reference: "empty package",
		Rounds: rounds, WarmUp: true,
	}
	for _, source := range []struct{ name, file, text string }{
		{"empty package", "empty.go", "package load\n"},
		{"the imports alone", "imports.go", importing},
		{"2000 methods", "methods.go", files[0].GetContent()},
	} {
		path := filepath.Join(w.directory, source.file)
		if err := writeFile(path, []byte(source.text)); err != nil {
			return nil, err
		}
		group.Variants = append(group.Variants, w.command("go/"+source.name, "/dev/null",
			compiler, "-p", "example.com/load", "-importcfg", imports, "-pack", "-o", path+".a", path))
	}
	return group, nil
}

// compiler returns the path of the compiler, and of a file that says where it finds compiled imports.
func (w *Workshop) compiler() (compiler, imports string, err error) {
	out, err := plugins.Go("tool", "-n", "compile")
	if err != nil {
		return "", "", err
	}
	list, err := plugins.Go("list", "-export", "-deps",
		"-f", "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}",
		"context", plugins.Runtime, plugins.Runtime+"/authimpl", "google.golang.org/grpc/codes")
	if err != nil {
		return "", "", err
	}
	imports = filepath.Join(w.directory, "importcfg")
	return strings.TrimSpace(string(out)), imports, writeFile(imports, list)
}
