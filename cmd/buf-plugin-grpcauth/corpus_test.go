package main

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"buf.build/go/bufplugin/check"
	"buf.build/go/bufplugin/check/checktest"
)

var update = flag.Bool("update", false, "rewrite the expected findings in testdata; the test still fails")

const findingsFile = "findings.txt"

const optionLanguage = "../../proto/options" // where grpcauth/v1/options.proto is

// corpusOptions are the plugin's options for the whole corpus. OPEN_LISTED has no case without its option: see
// TestOpenListedIsOffWithoutItsOption.
var corpusOptions = map[string]any{
	declaredExcept: []string{
		"declared_except.v1.Old", "declared_except.v1.New.Get", "declared_except_package.legacy",
	},
	credentialHeaders: []string{"x-session-token"},
	openMethods: []string{
		"open_listed.A.Public", "open_listed.A.Guarded", "open_listed.A.Optional", "open_listed.A.WasOpen",
	},
}

// finding is one finding as the corpus writes it: "7:5-7:48 GRPCAUTH_X element: message".
type finding struct {
	path                             string
	line, column, endLine, endColumn int
	rule, message                    string
}

func (f finding) String() string {
	return fmt.Sprintf("%d:%d-%d:%d %s %s", f.line, f.column, f.endLine, f.endColumn, f.rule, f.message)
}

// corpus is the folder of testdata for one command: a folder for each case, named by hazard, which holds
// after.proto, perhaps before.proto, and the expected findings.
type corpus struct {
	folder string
	cases  []string
	before string // the earlier files, each named after its case
	after  string
}

// gather copies the files of all cases together, so that one run checks all of them: a case is a file and a
// package of its own.
func gather(t *testing.T, folder string) *corpus {
	t.Helper()
	gathered := &corpus{folder: folder, before: t.TempDir(), after: t.TempDir()}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		gathered.cases = append(gathered.cases, name)
		for state, dir := range map[string]string{"before": gathered.before, "after": gathered.after} {
			text, err := os.ReadFile(filepath.Join(folder, name, state+".proto"))
			if os.IsNotExist(err) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), "\npackage "+name) {
				t.Errorf("%s/%s.proto: the package must be that of the case", name, state)
			}
			write(t, filepath.Join(dir, name+".proto"), string(text))
		}
	}
	if len(gathered.cases) == 0 {
		t.Fatalf("%s holds no case", folder)
	}
	return gathered
}

// texts are the findings of each case, sorted by position.
func (c *corpus) texts(t *testing.T, found []finding) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, one := range slices.SortedFunc(slices.Values(found), compareFindings) {
		name := strings.TrimSuffix(one.path, ".proto")
		if !slices.Contains(c.cases, name) {
			t.Errorf("a finding in a file of no case: %s:%s", one.path, one)
		}
		texts[name] += one.String() + "\n"
	}
	return texts
}

// want is what a case expects of buf.
func (c *corpus) want(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(c.folder, name, findingsFile))
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// compare compares what buf found with what each case expects.
func (c *corpus) compare(t *testing.T, found []finding) {
	t.Helper()
	got := c.texts(t, found)
	for _, name := range c.cases {
		if *update {
			write(t, filepath.Join(c.folder, name, findingsFile), got[name])
			continue
		}
		if want := c.want(t, name); got[name] != want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", name, got[name], want)
		}
	}
	if *update {
		t.Fatal("updated: read what has changed, and run again without -update")
	}
}

// compareTexts is compare without positions: the compiler in process records fewer of them than buf's.
func (c *corpus) compareTexts(t *testing.T, found []finding) {
	t.Helper()
	got := c.texts(t, found)
	for _, name := range c.cases {
		if got, want := withoutPositions(got[name]), withoutPositions(c.want(t, name)); got != want {
			t.Errorf("%s: got:\n%s\nwant:\n%s", name, got, want)
		}
	}
}

// withoutPositions drops the first word of each line, and sorts the lines.
func withoutPositions(lines string) string {
	var texts strings.Builder
	for line := range strings.Lines(lines) {
		_, text, _ := strings.Cut(line, " ")
		texts.WriteString(text)
	}
	return sorted(texts.String())
}

// sorted sorts lines.
func sorted(lines string) string {
	return strings.Join(slices.Sorted(strings.Lines(lines)), "")
}

func compareFindings(a, b finding) int {
	return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column),
		cmp.Compare(a.rule, b.rule), cmp.Compare(a.message, b.message))
}

// files lists a folder's .proto files for checktest, with the option language to import.
func files(t *testing.T, dir string) *checktest.ProtoFileSpec {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	spec := &checktest.ProtoFileSpec{DirPaths: []string{dir, optionLanguage}}
	for _, entry := range entries {
		spec.FilePaths = append(spec.FilePaths, entry.Name())
	}
	if len(spec.FilePaths) == 0 {
		return nil
	}
	return spec
}

// inProcess runs rules as the plugin's process does, without buf.
func inProcess(t *testing.T, request *checktest.RequestSpec) ([]finding, error) {
	t.Helper()
	made, err := request.ToRequest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, err := check.NewClientForSpec(spec)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Check(t.Context(), made)
	if err != nil {
		return nil, err
	}
	var found []finding
	for _, annotation := range response.Annotations() {
		one := finding{rule: annotation.RuleID(), message: annotation.Message()}
		if at := annotation.FileLocation(); at != nil {
			one.path = at.FileDescriptor().ProtoreflectFileDescriptor().Path()
			one.line, one.column = at.StartLine()+1, at.StartColumn()+1
			one.endLine, one.endColumn = at.EndLine()+1, at.EndColumn()+1
		}
		found = append(found, one)
	}
	return found, nil
}

// ids are the plugin's rules of one kind.
func ids(kind check.RuleType) []string {
	var found []string
	for _, one := range spec.Rules {
		if one.Type == kind {
			found = append(found, one.ID)
		}
	}
	return found
}

func TestSpec(t *testing.T) {
	t.Parallel()
	checktest.SpecTest(t, spec)
}

func TestLintCorpus(t *testing.T) {
	t.Parallel()
	cases := gather(t, "testdata/lint")
	found, err := inProcess(t, &checktest.RequestSpec{
		Files: files(t, cases.after), RuleIDs: ids(check.RuleTypeLint), Options: corpusOptions,
	})
	if err != nil {
		t.Fatal(err)
	}
	cases.compareTexts(t, found)
}

// buf is users' buf, with the same corpus and the same findings.
func TestBufLintsTheCorpus(t *testing.T) {
	t.Parallel()
	cases := gather(t, "testdata/lint")
	root := workspace(t, cases.after, corpusOptions)
	cases.compare(t, buf(t, root, "lint", "proto"))
}

// workspace makes a user's project from .proto files, and returns its root.
func workspace(tb testing.TB, protos string, options map[string]any) string {
	tb.Helper()
	root := tb.TempDir()
	for to, from := range map[string]string{"proto": protos, "third_party/grpcauth": optionLanguage + "/grpcauth"} {
		if to != "proto" {
			to = filepath.Join(to, "grpcauth")
		}
		if err := os.CopyFS(filepath.Join(root, to), os.DirFS(from)); err != nil {
			tb.Fatal(err)
		}
	}
	if options == nil {
		options = map[string]any{}
	}
	spelled, err := json.Marshal(options) // YAML's flow style
	if err != nil {
		tb.Fatal(err)
	}
	write(tb, filepath.Join(root, "buf.yaml"), fmt.Sprintf(`version: v2
modules:
  - path: proto
  - path: third_party/grpcauth
lint:
  use: [GRPCAUTH]
breaking:
  use: [GRPCAUTH]
plugins:
  - plugin: %s
    options: %s
`, program(tb), spelled))
	return root
}

func TestBreakingCorpus(t *testing.T) {
	t.Parallel()
	cases := gather(t, "testdata/breaking")
	found, err := inProcess(t, &checktest.RequestSpec{
		Files: files(t, cases.after), AgainstFiles: files(t, cases.before), RuleIDs: ids(check.RuleTypeBreaking),
	})
	if err != nil {
		t.Fatal(err)
	}
	cases.compareTexts(t, found)
}

func TestBufComparesTheCorpus(t *testing.T) {
	t.Parallel()
	cases := gather(t, "testdata/breaking")
	now, earlier := workspace(t, cases.after, nil), workspace(t, cases.before, nil)
	cases.compare(t, buf(t, now, "breaking", "--against", earlier))
}
