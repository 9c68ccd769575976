package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// find returns a tool's path: that in the environment variable, or the one on the PATH. A test without its
// tool is skipped, except where GRPCAUTH_TOOLS=required makes that a failure, as in CI.
func find(tb testing.TB, variable, name string) string {
	tb.Helper()
	if path := os.Getenv(variable); path != "" {
		return path
	}
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("GRPCAUTH_TOOLS") == "required" {
		tb.Fatalf("%s is missing: put it on the PATH or its path in %s", name, variable)
	}
	tb.Skipf("%s is missing: put it on the PATH or its path in %s", name, variable)
	return ""
}

// built is the folder with the plugin's program, built once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "grpcauth-buf-plugin-")
	if err != nil {
		return "", err
	}
	folder = dir
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), ".")
	if out, err := build.CombinedOutput(); err != nil {
		_, _ = os.Stderr.Write(out)
		return "", err
	}
	return dir, nil
})

var folder string // of built

func TestMain(m *testing.M) {
	leaveRulesAsBytes()
	status := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(status)
}

// program is the path of the plugin.
func program(tb testing.TB) string {
	tb.Helper()
	dir, err := built()
	if err != nil {
		tb.Fatal(err)
	}
	return filepath.Join(dir, "buf-plugin-grpcauth")
}

// run runs users' buf, with the plugin on the PATH, and returns what it wrote and its exit status.
func run(tb testing.TB, dir string, arguments ...string) (stdout, stderr string, status int) {
	tb.Helper()
	command := exec.CommandContext(tb.Context(), find(tb, "GRPCAUTH_BUF", "buf"), arguments...)
	var out, log bytes.Buffer
	command.Dir, command.Stdout, command.Stderr = dir, &out, &log
	command.Env = append(os.Environ(),
		"PATH="+filepath.Dir(program(tb))+string(filepath.ListSeparator)+os.Getenv("PATH"))
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tb.Fatal(err)
	}
	return out.String(), log.String(), command.ProcessState.ExitCode()
}

// buf runs buf lint or `buf breaking` with --error-format json, and returns the findings. buf exits with 100
// if there are any, and with 0 if there are none.
func buf(t *testing.T, root string, arguments ...string) []finding {
	t.Helper()
	stdout, stderr, status := run(t, root, append(arguments, "--error-format", "json")...)
	var found []finding
	for line := range strings.Lines(stdout) {
		var one struct {
			Path        string `json:"path"`
			StartLine   int    `json:"start_line"`
			StartColumn int    `json:"start_column"`
			EndLine     int    `json:"end_line"`
			EndColumn   int    `json:"end_column"`
			Type        string `json:"type"`
			Message     string `json:"message"`
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("%v in: %s", err, line)
		}
		found = append(found, finding{
			path: strings.TrimPrefix(one.Path, "proto/"),
			line: one.StartLine, column: one.StartColumn, endLine: one.EndLine, endColumn: one.EndColumn,
			rule: one.Type, message: one.Message,
		})
	}
	const hasFindings = 100
	if want := map[bool]int{true: hasFindings}[len(found) > 0]; status != want || stderr != "" {
		t.Fatalf("buf %s exits with %d, want %d:\n%s%s", strings.Join(arguments, " "), status, want, stdout, stderr)
	}
	return found
}

func write(tb testing.TB, path, content string) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		tb.Fatal(err)
	}
}
