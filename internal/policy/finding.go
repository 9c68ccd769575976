package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Finding is one thing that is wrong in a schema.
type Finding struct {
	Path    string // of the .proto file, as it is imported
	Line    int    // from 1
	Column  int    // from 1
	Element string // full name of the method, service or package
	Message string

	// SourcePath leads to what Line and Column are the beginning of; empty for the file as a whole.
	SourcePath protoreflect.SourcePath
}

// String is the finding on one line: "a/v1/a.proto:14:5: a.v1.Service.Method: headers[0].name: ...".
func (f Finding) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", oneLine(f.Path), f.Line, f.Column, f.Text())
}

// Text is the line without the position.
func (f Finding) Text() string { return oneLine(f.Element) + ": " + f.Message }

// Findings is an error: all that is wrong, one line each.
type Findings []Finding //nolint:errname // what it is matters more than that it is an error too

// Error sorts by position, so that equal schemas give equal texts.
func (f Findings) Error() string {
	lines := make([]string, 0, len(f))
	for _, finding := range f.Sorted() {
		lines = append(lines, finding.String())
	}
	return strings.Join(lines, "\n")
}

// Sorted returns the findings by path, line and column, each once.
func (f Findings) Sorted() Findings {
	sorted := slices.Clone(f)
	slices.SortFunc(sorted, compareFindings)
	return slices.CompactFunc(sorted, func(a, b Finding) bool { return compareFindings(a, b) == 0 })
}

func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
		cmp.Compare(a.Element, b.Element), cmp.Compare(a.Message, b.Message),
	)
}

// oneLine quotes a name that would break the line or deceive its reader.
func oneLine(name string) string {
	if isPlainText(name) {
		return name
	}
	return strconv.Quote(name)
}
