package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../../.."

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func readGuards(t *testing.T) []*guard {
	t.Helper()
	guards, err := parse(read(t, guardsFile))
	if err != nil {
		t.Fatal(err)
	}
	return guards
}

// Every entry can be carried out, and names code that is there.
func TestGuardsAreWhereTheListSays(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, one := range readGuards(t) {
		if seen[one.String()] {
			t.Errorf("%s: twice", one)
		}
		seen[one.String()] = true
		if !functions(t, one.file)[one.function] {
			t.Errorf("%s: there is no such function", one)
		}
		for _, change := range one.changes {
			before := strings.TrimSuffix(change.before, "\n")
			if count := strings.Count(read(t, change.file), before); before == "" || count != 1 || change.before == change.after {
				t.Errorf("%s: the text to remove stands %d times in %s", one, count, change.file)
			}
		}
	}
}

// functions lists a file's, methods as "Type.Method".
func functions(t *testing.T, path string) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name := function.Name.Name
		if function.Recv != nil {
			of := function.Recv.List[0].Type
			if star, ok := of.(*ast.StarExpr); ok {
				of = star.X
			}
			name = fmt.Sprint(of) + "." + name
		}
		names[name] = true
	}
	return names
}

// The threat model names the guards of each row that are in the list, and tests that exist.
func TestThreatModelNamesGuardsAndTests(t *testing.T) {
	t.Parallel()
	_, table, found := strings.Cut(read(t, "docs/threat-model.md"), "\n## Row by row")
	if !found {
		t.Fatal("the section is missing")
	}
	tests := testNames(t)
	quoted := regexp.MustCompile("`([^`]+)`")
	rows := map[string]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || !strings.HasPrefix(line, "| T") {
			continue
		}
		row := strings.TrimPrefix(cells[0], "| ")
		rows[row] = cells[1]
		named := quoted.FindAllStringSubmatch(cells[2], -1)
		for _, name := range named {
			if full := "Test" + row + "_" + name[1]; !tests[full] {
				t.Errorf("%s: there is no %s", row, full)
			}
		}
		if len(named) == 0 && !strings.Contains(cells[2], "later") {
			t.Errorf("%s: no test is named", row)
		}
	}
	for _, one := range readGuards(t) {
		if cell := rows[one.row]; !strings.Contains(cell, "`"+one.file+"`") || !strings.Contains(cell, "`"+one.function+"`") {
			t.Errorf("%s is not named in the threat model", one)
		}
	}
	const all = 45
	for i := range all {
		if rows[fmt.Sprintf("T%d", i+1)] == "" {
			t.Errorf("T%d: no guard is named", i+1)
		}
	}
}

func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (TestT[0-9]+_\w+)`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, match := range declared.FindAllStringSubmatch(string(content), -1) {
			names[match[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// The committed results are those of the list as it stands: the same entries, in its order.
func TestResultsAreOfThisList(t *testing.T) {
	t.Parallel()
	var titles []string
	for line := range strings.Lines(read(t, resultsFile)) {
		if strings.HasPrefix(line, "T") {
			titles = append(titles, strings.TrimSuffix(line, "\n"))
		}
	}
	guards := readGuards(t)
	if len(titles) != len(guards) {
		t.Fatalf("%d results of %d guards: run make guards", len(titles), len(guards))
	}
	for i, one := range guards {
		if titles[i] != one.title() {
			t.Errorf("%q, want %q: run make guards", titles[i], one.title())
		}
	}
}

func TestListsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"-a", "== T1 a.go f: without\nabc"} {
		if _, err := parse(content); err == nil {
			t.Errorf("%q: no error", content)
		}
	}
}

// The tests that notice are found in what go test prints, also where the process ends.
func TestFailingTestsAreFound(t *testing.T) {
	t.Parallel()
	for output, want := range map[string]string{
		"--- FAIL: TestT1_A (0.00s)\n    --- FAIL: TestT1_A/x\n--- FAIL: TestT1_B (0.00s)\n": "[TestT1_A TestT1_B]",
		"panic: x\n\ngoroutine 1:\na.TestT1_A.func1()\nb.TestT2_C()\n":                       "[TestT1_A]",
		"panic: x\n": "[the process of the row's tests ends]",
		"ok\n":       "[]",
	} {
		if got := fmt.Sprint(failing(output, "T1")); got != want {
			t.Errorf("%q: %s, want %s", output, got, want)
		}
	}
}
