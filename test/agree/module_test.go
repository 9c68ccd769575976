package agree

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/mod/modfile"
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/grpcauth/protoc-gen-go-grpcauth/generator"
)

const (
	checkout = "../.."
	product  = "github.com/grpcauth/protoc-gen-go-grpcauth"
	// module is where programs are compiled. Its path is below this folder's, so that they may import the
	// internal packages here.
	module = product + "/test/agree/generated"
)

// newModule makes a module that takes the product from the checkout, and all else from the module cache, by the
// product's own go.mod and go.sum: nothing has to be downloaded.
func newModule(t *testing.T) string {
	t.Helper()
	if raced {
		t.Skip("programs of a module of their own are compiled without the race detector: it would see nothing here")
	}
	text, err := os.ReadFile(filepath.Join(checkout, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(checkout)
	if err != nil {
		t.Fatal(err)
	}
	made := &modfile.File{Syntax: &modfile.FileSyntax{}}
	steps := []error{made.AddModuleStmt(module), made.AddGoStmt(file.Go.Version)}
	for _, require := range file.Require {
		steps = append(steps, made.AddRequire(require.Mod.Path, require.Mod.Version))
	}
	steps = append(steps, made.AddRequire(product, "v0.0.0"), made.AddReplace(product, "", root, ""))
	for _, err := range steps {
		if err != nil {
			t.Fatal(err)
		}
	}
	made.Cleanup()
	written, err := made.Format()
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(checkout, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), string(written))
	write(t, filepath.Join(dir, "go.sum"), string(sums))
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// generate writes what the plugin generates from a schema into a folder of a module.
func generate(t *testing.T, dir, name, text string) {
	t.Helper()
	compiled := request(t, map[string]string{name + ".proto": text}, "module="+module, name+".proto")
	plugin, err := protogen.Options{}.New(compiled)
	if err != nil {
		t.Fatal(err)
	}
	if err := generator.Generate(plugin); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	files := plugin.Response().GetFile()
	if len(files) != 1 {
		t.Fatalf("%d files are generated: %s\n%s", len(files), plugin.Response().GetError(), text)
	}
	write(t, filepath.Join(dir, files[0].GetName()), files[0].GetContent())
}

// goCommand runs the go command in a module, without a network.
func goCommand(t *testing.T, dir string, arguments ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", arguments...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
	out, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go %v: %w", arguments, err)
	}
	return string(out), err
}
