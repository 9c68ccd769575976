package test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every snippet of Go code that docs/transports.md shows is part of what is compiled and run.
func TestTransportsSnippetsAreExamples(t *testing.T) {
	t.Parallel()
	var compiled string
	for _, pattern := range []string{"../grpcauth/connectauth/example_test.go", "gateway/*.go", "../interop/browser/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			compiled += flatten(string(read(t, file)))
		}
	}
	snippets := regexp.MustCompile("(?s)\n\n```go\n(.*?)```").FindAllStringSubmatch(string(read(t, "../docs/transports.md")), -1)
	if len(snippets) < 5 {
		t.Errorf("docs/transports.md has %d snippets", len(snippets))
	}
	for _, snippet := range snippets {
		if !strings.Contains(compiled, flatten(snippet[1])) {
			t.Errorf("no example contains this snippet of docs/transports.md:\n%s", snippet[1])
		}
	}
}
