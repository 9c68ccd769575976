package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The documents that tell users about the plugin.
const (
	readme = "../../README.md"
	review = "../../docs/review.md"
)

func text(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// blocks are the parts of a document after a marker, up to the end of the block of code.
func blocks(t *testing.T, path, marker, language string) []string {
	t.Helper()
	var found []string
	fence := regexp.MustCompile("(?s)" + marker + "\n```" + language + "\n(.*?)```")
	for _, match := range fence.FindAllStringSubmatch(text(t, path), -1) {
		found = append(found, match[1])
	}
	if len(found) == 0 {
		t.Fatalf("%s has no block after %s", path, marker)
	}
	return found
}

// readmesProject makes the project that README.md shows, with the plugin as a document says, and with a change to
// its schema.
func readmesProject(t *testing.T, document string, change func(string) string) string {
	t.Helper()
	root := t.TempDir()
	files := regexp.MustCompile("(?s)<!-- file: (\\S+) -->\n```\\w+\n(.*?)```").FindAllStringSubmatch(text(t, readme), -1)
	for _, file := range files {
		content := file[2]
		switch filepath.Ext(file[1]) {
		case ".proto":
			content = change(content)
		case ".yaml":
			if file[1] == "buf.yaml" {
				content += blocks(t, document, "<!-- of buf.yaml -->", "yaml")[0]
			}
		}
		write(t, filepath.Join(root, file[1]), content)
	}
	err := os.CopyFS(filepath.Join(root, "third_party/grpcauth/grpcauth"), os.DirFS(optionLanguage+"/grpcauth"))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// The project that README.md shows, with buf.yaml as the documents say, has its literal reported, and its weakened
// rule in the words that the documents show.
func TestDocsShowWhatBufSays(t *testing.T) {
	t.Parallel()
	const itsHeader = `    headers: {name: "authorization" equals: "42"}` + "\n"
	const itsDenial = `    denial: {message: "Access denied!"}` + "\n"
	for _, document := range []string{readme, review} {
		project := readmesProject(t, document, asItIs)
		linted, stderr, _ := run(t, project, "lint", "proto")
		if strings.Count(linted, " (buf-plugin-grpcauth)\n") != 1 || !strings.Contains(linted, `"authorization" is a credential`) {
			t.Errorf("%s: buf lint says:\n%s%s", document, linted, stderr)
		}
		weakened := readmesProject(t, document, func(schema string) string {
			for _, gone := range []string{itsHeader, itsDenial} {
				if strings.Count(schema, gone) != 1 {
					t.Fatalf("README.md's schema does not say %s", gone)
				}
			}
			return strings.Replace(strings.Replace(schema, itsHeader, "    public: true\n", 1), itsDenial, "", 1)
		})
		compared, stderr, _ := run(t, weakened, "breaking", "--against", project)
		shown := blocks(t, document, "\n", "text")
		if last := shown[len(shown)-1]; !strings.Contains(last, "some call") || !strings.Contains(compared, last) {
			t.Errorf("%s shows:\n%sand buf breaking says:\n%s%s", document, last, compared, stderr)
		}
	}
}

// All that review.md shows of buf.yaml is what buf and the plugin understand.
func TestDocsConfigurationsAreAccepted(t *testing.T) {
	t.Parallel()
	configurations := blocks(t, review, "\n", "yaml")
	checked := 0
	for _, configuration := range configurations {
		if strings.Contains(configuration, "jobs:") {
			continue
		}
		checked++
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.proto"), strings.Replace(oneRule, `equals: "canary"`, "basic: {}", 1))
		root := workspace(t, dir, nil)
		config := "version: v2\nmodules:\n  - path: proto\n  - path: third_party/grpcauth\n" +
			strings.Replace(configuration, itsPlugin, program(t), 1)
		if !strings.Contains(configuration, "plugins:") {
			config += "plugins:\n  - plugin: buf-plugin-grpcauth\n"
		}
		if !strings.Contains(configuration, "breaking:") {
			config += "lint:\n  use: [GRPCAUTH]\n"
		}
		write(t, filepath.Join(root, "buf.yaml"), config)
		for _, arguments := range [][]string{{"lint", "proto"}, {"breaking", "--against", "."}} {
			if strings.Contains(configuration, "breaking:") && arguments[0] == "lint" {
				continue // STANDARD has its own opinion about the file
			}
			if stdout, stderr, status := run(t, root, arguments...); status != 0 {
				t.Errorf("buf %s exits with %d, with\n%s\n%s%s", arguments[0], status, config, stdout, stderr)
			}
		}
	}
	if checked < 3 {
		t.Errorf("%d configurations", checked)
	}
}

// The comment that review.md shows is the greeter's.
func TestDocsShowTheGreetersException(t *testing.T) {
	t.Parallel()
	shown := blocks(t, review, "<!-- of "+itsGreeter+" -->", "proto")[0]
	if !strings.Contains(text(t, "../../"+itsGreeter), shown) {
		t.Errorf("the greeter does not say:\n%s", shown)
	}
}

// Each rule and each option is in review.md.
func TestDocsNameRulesAndOptions(t *testing.T) {
	t.Parallel()
	content := text(t, review)
	names := []string{declaredExcept, credentialHeaders, openMethods}
	for _, one := range spec.Rules {
		names = append(names, one.ID)
	}
	for _, name := range names {
		if !strings.Contains(content, "\n| `"+name+"` | ") {
			t.Errorf("%s has no row for %s", review, name)
		}
	}
}
