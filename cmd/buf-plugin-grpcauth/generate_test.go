package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"buf.build/go/bufplugin/check/checktest"
	"buf.build/go/bufplugin/descriptor"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/generator"
)

const generatorCorpus = "../../generator/testdata"

// What the generator refuses in each case of its own corpus is what GRPCAUTH_VALID reports, at the same place, in
// the same words; and where it generates, nothing is reported.
func TestGeneratorAndPluginAgree(t *testing.T) {
	t.Parallel()
	cases, err := os.ReadDir(generatorCorpus)
	if err != nil {
		t.Fatal(err)
	}
	refused, accepted := 0, 0
	for _, entry := range cases {
		dir := filepath.Join(generatorCorpus, entry.Name())
		if !entry.IsDir() {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "parameter.txt")); err == nil {
			continue // parameters are the compiler's, and unknown to lint
		}
		request := &checktest.RequestSpec{Files: &checktest.ProtoFileSpec{
			DirPaths: []string{dir, optionLanguage}, FilePaths: protosOf(t, dir),
		}, RuleIDs: []string{valid}}
		want := diagnosticsOf(t, request)
		if len(want) > 0 {
			refused++
		} else {
			accepted++
		}
		// The committed diagnostics have the positions of another compiler.
		if committed, err := os.ReadFile(filepath.Join(dir, "diagnostics.txt")); err == nil &&
			strings.Count(string(committed), "\n") != len(want) {
			t.Errorf("%s: want %d findings, as committed:\n%s", entry.Name(), len(want), committed)
		}
		t.Run(entry.Name(), func(t *testing.T) {
			t.Parallel()
			found, err := inProcess(t, request)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, one := range found {
				got = append(got, fmt.Sprintf("%s:%d:%d: %s", one.path, one.line, one.column, one.message))
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
	if refused < 30 || accepted < 20 {
		t.Errorf("%d cases are refused and %d accepted: is this the whole corpus?", refused, accepted)
	}
}

// protosOf lists the files of a case that are generated from.
func protosOf(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path)
		if err == nil && strings.HasSuffix(name, ".proto") && !strings.HasPrefix(name, "grpcauth") {
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// diagnosticsOf asks the generator about the same descriptors, as a compiler would.
func diagnosticsOf(t *testing.T, spec *checktest.RequestSpec) []string {
	t.Helper()
	request, err := spec.ToRequest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]descriptor.FileDescriptor{}
	for _, file := range request.FileDescriptors() {
		byName[file.FileDescriptorProto().GetName()] = file
	}
	toGenerate := &pluginpb.CodeGeneratorRequest{FileToGenerate: spec.Files.FilePaths}
	added := map[string]bool{}
	var add func(name string)
	add = func(name string) {
		if added[name] {
			return
		}
		added[name] = true
		for _, imported := range byName[name].FileDescriptorProto().GetDependency() {
			add(imported)
		}
		toGenerate.ProtoFile = append(toGenerate.ProtoFile, byName[name].FileDescriptorProto())
	}
	for _, name := range spec.Files.FilePaths {
		add(name)
	}
	plugin, err := protogen.Options{}.New(toGenerate)
	if err != nil {
		t.Fatal(err)
	}
	if err := generator.Generate(plugin); err != nil {
		return strings.Split(err.Error(), "\n")
	}
	return nil
}

// Where the Go packages that files state do not even do for protoc-gen-go, as is usual with managed mode, rules
// are checked all the same.
func TestUnusableGoPackagesHideNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), `syntax = "proto3";
package a.v1;
import "grpcauth/v1/options.proto";
option go_package = "a";
service A {
  rpc Get(M) returns (M) {
    option (grpcauth.v1.method).headers = {name: "X-Key" basic: {}};
  }
}
message M {}
`)
	found, err := inProcess(t, &checktest.RequestSpec{Files: files(t, dir), RuleIDs: []string{valid}})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || !strings.Contains(found[0].message, `a.v1.A.Get: headers[0].name: "X-Key" must be lower case`) {
		t.Errorf("got %v", found)
	}
}

// `buf lint` shows, with buf's own positions, the lines that `buf generate` prints.
func TestBufLintSaysWhatBufGenerateSays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/lint/valid_places/after.proto")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "a.proto"), string(text))
	root := workspace(t, dir, nil)
	generatorProgram := filepath.Join(t.TempDir(), "protoc-gen-go-grpcauth")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", generatorProgram,
		"github.com/grpcauth/protoc-gen-go-grpcauth/cmd/protoc-gen-go-grpcauth")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	write(t, filepath.Join(root, "buf.gen.yaml"), fmt.Sprintf(`version: v2
inputs:
  - directory: proto
plugins:
  - local: %s
    out: gen
    opt: Ma.proto=example.com/a;a
`, generatorProgram))
	_, generated, status := run(t, root, "generate")
	if status == 0 {
		t.Fatal("buf generate succeeds")
	}
	linted := buf(t, root, "lint", "proto")
	const findings = 5
	if len(linted) != findings {
		t.Fatalf("got %d findings, want %d: %v", len(linted), findings, linted)
	}
	for _, one := range linted {
		want := fmt.Sprintf("%s:%d:%d: %s\n", one.path, one.line, one.column, one.message)
		if !strings.Contains(generated, want) {
			t.Errorf("buf lint says\n%sand buf generate does not:\n%s", want, generated)
		}
	}
}
