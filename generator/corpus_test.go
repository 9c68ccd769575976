package generator_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/generator"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata; the test still fails")

const (
	options     = "../proto/options" // where grpcauth/v1/options.proto is
	diagnostics = "diagnostics.txt"  // the expected error of a case that must not generate
	parameter   = "parameter.txt"    // the plugin's parameter, if it is not paths=source_relative
)

// Each folder of testdata is a case, named after what is special about it: .proto files, and beside them
// either what is generated or the exact error.
func TestCorpus(t *testing.T) {
	t.Parallel()
	cases, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range cases {
		if !entry.IsDir() {
			continue
		}
		t.Run(entry.Name(), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("testdata", entry.Name())
			got, err := generateFrom(t, dir)
			if err != nil {
				if len(got) > 0 {
					t.Errorf("%d files beside the error", len(got))
				}
				got = map[string]string{diagnostics: err.Error() + "\n"}
			}
			want := expected(t, dir)
			if *update {
				rewrite(t, dir, want, got)
				t.Fatal("updated: read what has changed, and run again without -update")
			}
			for _, name := range slices.Sorted(maps.Keys(got)) {
				if got[name] != want[name] {
					t.Errorf("%s is not as expected; got:\n%s\nwant:\n%s", name, got[name], want[name])
				}
			}
			for _, name := range slices.Sorted(maps.Keys(want)) {
				if _, ok := got[name]; !ok {
					t.Errorf("%s is expected and was not generated", name)
				}
			}
		})
	}
}

// Expected output is what gofmt would write, and it compiles: go vet type-checks each package.
func TestCorpusOutputIsFormattedAndCompiles(t *testing.T) {
	t.Parallel()
	packages := map[string]bool{}
	err := filepath.WalkDir("testdata", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		packages["./"+filepath.ToSlash(filepath.Dir(path))] = true
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		formatted, err := format.Source(source)
		if err != nil {
			return err
		}
		if !bytes.Equal(formatted, source) {
			t.Errorf("%s is not formatted", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) == 0 {
		t.Fatal("the corpus holds no generated code")
	}
	vet := append([]string{"vet"}, slices.Sorted(maps.Keys(packages))...)
	if out, err := exec.CommandContext(t.Context(), "go", vet...).CombinedOutput(); err != nil {
		t.Errorf("go vet: %v\n%s", err, out)
	}
}

// generateFrom compiles all .proto files of a folder and generates from them.
func generateFrom(t *testing.T, dir string) (map[string]string, error) {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err == nil && strings.HasSuffix(name, ".proto") && !strings.HasPrefix(name, "grpcauth") {
			files = append(files, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	given := "paths=source_relative"
	if own, err := os.ReadFile(filepath.Join(dir, parameter)); err == nil {
		given = strings.TrimSpace(string(own))
	}
	request, err := compile.Request(t.Context(), compile.Dirs(dir, options), given, files...)
	if err != nil {
		t.Fatal(err)
	}
	return generate(t, request)
}

// generate runs the generator as the plugin does, and returns the files or the error that compilers show. The
// files are parsed and compared with what generated code may consist of.
func generate(t *testing.T, request *pluginpb.CodeGeneratorRequest) (map[string]string, error) {
	t.Helper()
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		t.Fatal(err)
	}
	checked := generator.Check(plugin)
	if written := len(plugin.Response().GetFile()); written > 0 {
		t.Errorf("Check generated %d files", written)
	}
	failure := generator.Generate(plugin)
	if fmt.Sprint(checked) != fmt.Sprint(failure) {
		t.Errorf("Check says:\n%v\nand Generate:\n%v", checked, failure)
	}
	response := plugin.Response()
	if response.Error != nil {
		t.Fatalf("generated code that is no Go: %s", response.GetError())
	}
	files := map[string]string{}
	for _, file := range response.GetFile() {
		files[file.GetName()] = file.GetContent()
	}
	for _, file := range plugin.Files {
		name := file.GeneratedFilenamePrefix + "_grpcauth.pb.go"
		if code, generated := files[name]; generated {
			for _, problem := range problems(file, name, code) {
				t.Error(problem)
			}
		}
	}
	return files, failure
}

// expected reads a case's golden files.
func expected(t *testing.T, dir string) map[string]string {
	t.Helper()
	want := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if name != diagnostics && filepath.Ext(name) != ".go" {
			return nil
		}
		content, err := os.ReadFile(path)
		want[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return want
}

func rewrite(t *testing.T, dir string, before, after map[string]string) {
	t.Helper()
	for name := range before {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range after {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
