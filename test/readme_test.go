package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The files that README.md shows make a project that generates with buf and compiles.
func TestReadmeProjectGeneratesWithBuf(t *testing.T) {
	t.Parallel()
	buf := find(t, "GRPCAUTH_BUF", "buf")
	project := t.TempDir()
	shown := regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```\\w+\n(.*?)```").
		FindAllStringSubmatch(string(read(t, "../README.md")), -1)
	for _, file := range shown {
		write(t, filepath.Join(project, file[1]), file[2])
	}
	const schema, workspace, templates = 1, 1, 1
	if len(shown) != schema+workspace+templates {
		t.Fatalf("README.md shows %d files", len(shown))
	}
	write(t, filepath.Join(project, "third_party/grpcauth/grpcauth/v1/options.proto"),
		string(read(t, "../proto/options/grpcauth/v1/options.proto")))
	mustRun(t, project, buf, "generate")

	checkout, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	module := strings.ReplaceAll(string(read(t, "foreign/go.mod")), "example.com/warehouse", "example.com/acme")
	write(t, filepath.Join(project, "go.mod"), strings.ReplaceAll(module, "=> ../..", "=> "+checkout))
	write(t, filepath.Join(project, "go.sum"), string(read(t, "foreign/go.sum")))
	if _, err := os.Stat(filepath.Join(project, "gen/greeter/v1/greeter_grpcauth.pb.go")); err != nil {
		t.Fatal(err)
	}
	mustRun(t, project, "go", "vet", "./...")
}

// Every snippet of Go code and every rule that README.md shows is part of what is compiled and run.
func TestReadmeSnippetsAreExamples(t *testing.T) {
	t.Parallel()
	sources := map[string][]string{
		"go": {
			"../grpcauth/example_readme_test.go", "foreign/enforce_test.go", "../grpcauth/tokensource/example_test.go",
			"../grpcauth/connectauth/example_test.go", "../example/recipes/*_test.go", "../example/bank/internal/server/verifier.go",
		},
		"proto": {"../example/recipes/v1/recipes.proto"},
	}
	for language, patterns := range sources {
		var compiled string
		for _, pattern := range patterns {
			files, err := filepath.Glob(pattern)
			if err != nil || len(files) == 0 {
				t.Fatalf("%s: %v, %v", pattern, files, err)
			}
			for _, file := range files {
				compiled += flatten(string(read(t, file)))
			}
		}
		// A whole file has a comment before it, and a test of its own.
		fence := regexp.MustCompile("(?s)\n\n```" + language + "\n(.*?)```")
		snippets := fence.FindAllStringSubmatch(string(read(t, "../README.md")), -1)
		if len(snippets) < 5 {
			t.Errorf("README.md has %d snippets of %s", len(snippets), language)
		}
		for _, snippet := range snippets {
			if !strings.Contains(compiled, flatten(snippet[1])) {
				t.Errorf("no example contains this snippet of README.md:\n%s", snippet[1])
			}
		}
	}
}

// flatten folds white space, so that indentation does not count.
func flatten(text string) string { return strings.Join(strings.Fields(text), " ") }
