package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// loaded is a package with its types, which tell what a fault must look like to compile.
type loaded struct {
	dir     string
	fset    *token.FileSet
	files   map[string]*ast.File
	sources map[string][]byte
	imports types.Importer
	info    *types.Info
	pkg     *types.Package
}

// load reads a package's sources, and its imports from what the compiler keeps in its cache.
func load(ctx context.Context, importPath string) (*loaded, error) {
	listing, err := exec.CommandContext(ctx, "go", "list", "-export", "-deps",
		"-json=ImportPath,Export,Dir,GoFiles", importPath).Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w", importPath, err)
	}
	type listed struct {
		ImportPath, Export, Dir string
		GoFiles                 []string
	}
	exports := map[string]string{}
	var own listed
	for decoder := json.NewDecoder(bytes.NewReader(listing)); ; {
		var one listed
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read the output of go list: %w", err)
		}
		exports[one.ImportPath] = one.Export
		if one.ImportPath == importPath {
			own = one
		}
	}
	made := &loaded{
		dir: own.Dir, fset: token.NewFileSet(), files: map[string]*ast.File{}, sources: map[string][]byte{},
	}
	made.imports = importer.ForCompiler(made.fset, "gc", func(name string) (io.ReadCloser, error) {
		return os.Open(exports[name])
	})
	for _, name := range own.GoFiles {
		source, err := os.ReadFile(filepath.Join(own.Dir, name))
		if err != nil {
			return nil, fmt.Errorf("read a source: %w", err)
		}
		file, err := parser.ParseFile(made.fset, name, source, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("parse a source: %w", err)
		}
		made.files[name], made.sources[name] = file, source
	}
	if made.pkg, made.info, err = made.check(nil); err != nil {
		return nil, fmt.Errorf("check %s: %w", importPath, err)
	}
	return made, nil
}

// check type-checks the package, with one file replaced if name is one.
func (l *loaded) check(replaced map[string]*ast.File) (*types.Package, *types.Info, error) {
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
		Defs: map[*ast.Ident]types.Object{},
	}
	files := make([]*ast.File, 0, len(l.files)+1)
	for name, file := range l.files {
		if other := replaced[name]; other != nil {
			file = other
		}
		files = append(files, file)
	}
	for name, file := range replaced {
		if l.files[name] == nil {
			files = append(files, file)
		}
	}
	config := types.Config{Importer: l.imports}
	pkg, err := config.Check(l.dir, l.fset, files, info)
	if err != nil {
		return nil, nil, fmt.Errorf("type-check: %w", err)
	}
	return pkg, info, nil
}

// compiles is true if a file with one fault woven in still compiles.
func (l *loaded) compiles(name string, one *mutant) bool {
	file, err := parser.ParseFile(l.fset, name, weave(l.sources[name], []*mutant{one}), 0)
	if err != nil {
		return false
	}
	board, err := parser.ParseFile(l.fset, "zz_mutants.go", switchboard(l.files[name].Name.Name), 0)
	if err != nil {
		return false
	}
	_, _, err = l.check(map[string]*ast.File{name: file, "zz_mutants.go": board})
	return err == nil
}
