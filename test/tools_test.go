package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// find returns a tool's path: that in the environment variable, or the one on the PATH. A test without
// its tool is skipped, except where GRPCAUTH_TOOLS=required makes that a failure, as in CI.
func find(t *testing.T, variable, name string) string {
	t.Helper()
	if path := os.Getenv(variable); path != "" {
		return path
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("GRPCAUTH_TOOLS") == "required" {
		t.Fatalf("%s is missing: put it on the PATH or its path in %s", name, variable)
	}
	t.Skipf("%s is missing: put it on the PATH or its path in %s", name, variable)
	return ""
}

// protocs are the compilers to test with: the oldest that is supported and a current one, or the one
// that is there.
func protocs(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{"current": find(t, "GRPCAUTH_PROTOC", "protoc")}
	if os.Getenv("GRPCAUTH_PROTOC_OLD") != "" || os.Getenv("GRPCAUTH_TOOLS") == "required" {
		found["old"] = find(t, "GRPCAUTH_PROTOC_OLD", "protoc-3.21")
	}
	return found
}

// skipWithoutEditions skips a test that needs edition 2024.
func skipWithoutEditions(t *testing.T, protoc string) {
	t.Helper()
	version, err := run(t, ".", protoc, "--version")
	if err != nil {
		t.Fatalf("%s --version: %v", protoc, err)
	}
	const first = 32 // knows edition 2024; 3.21 counts as 3
	var major int
	if _, err := fmt.Sscanf(version, "libprotoc %d", &major); err != nil {
		t.Fatalf("%s --version prints %q: %v", protoc, version, err)
	}
	if major >= first {
		return
	}
	if os.Getenv("GRPCAUTH_TOOLS") == "required" {
		t.Fatalf("%s does not know edition 2024: put a current protoc in GRPCAUTH_PROTOC", strings.TrimSpace(version))
	}
	t.Skipf("%s does not know edition 2024: put a current protoc in GRPCAUTH_PROTOC", strings.TrimSpace(version))
}

// plugins builds our plugin and those it works beside, once, and returns their directory.
var plugins = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "grpcauth-plugins-")
	if err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator),
		"../cmd/protoc-gen-go-grpcauth",
		"google.golang.org/protobuf/cmd/protoc-gen-go",
		"google.golang.org/grpc/cmd/protoc-gen-go-grpc")
	if out, err := build.CombinedOutput(); err != nil {
		_, _ = os.Stderr.Write(out)
		return "", err
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if dir, err := plugins(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}

// run runs a tool with the plugins on the PATH, and returns what it wrote to either stream.
func run(t *testing.T, dir, tool string, arguments ...string) (string, error) {
	t.Helper()
	bin, err := plugins()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), tool, arguments...)
	command.Dir = dir
	command.Env = append(os.Environ(), "PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	out, err := command.CombinedOutput()
	return string(out), err
}

func mustRun(t *testing.T, dir, tool string, arguments ...string) {
	t.Helper()
	if out, err := run(t, dir, tool, arguments...); err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(tool), strings.Join(arguments, " "), err, out)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
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

// withoutLines drops the lines that begin with one of the prefixes.
func withoutLines(content []byte, prefixes ...string) string {
	var kept bytes.Buffer
	for line := range strings.Lines(string(content)) {
		dropped := false
		for _, prefix := range prefixes {
			dropped = dropped || strings.HasPrefix(line, prefix)
		}
		if !dropped {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

const compilerLine = "// - protoc "

// isEmpty is true if no file was written below a directory.
func isEmpty(t *testing.T, dir string) bool {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(entries) == 0
}
