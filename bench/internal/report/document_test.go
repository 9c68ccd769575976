package report

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
)

func TestTable(t *testing.T) {
	t.Parallel()
	group := &measure.Group{Name: "g", Title: "The title", Reference: "b", Variants: []measure.Variant{
		{Name: "one/a"}, {Name: "one/b"}, {Name: "two/a"}, {Name: "two/c"}, {Name: "two/unmeasured"},
	}}
	results := measure.Results{"g/one/a": of(30), "g/one/b": of(20), "g/two/a": of(40000), "g/two/c": of(4e7)}
	var out strings.Builder
	if err := Table(&out, group, results); err != nil {
		t.Fatal(err)
	}
	const want = `
The title
  situation  system  time     ratio    allocations  bytes
  one        a       30.0 ns  1.50     30           30 B
  one        b       20.0 ns  1.00     20           20 B
  two        a       40.0 µs  1.00     40000        39.1 KiB
  two        c       40.0 ms  1000.00  40000000     38.1 MiB
`
	if out.String() != want {
		t.Errorf("printed:%s\nwant:%s", out.String(), want)
	}
}

func TestDocumentKeepsWhatPeopleWrote(t *testing.T) {
	t.Parallel()
	const before = `Text.
<!-- targets: begin -->
old
<!-- targets: end -->
<!-- missed: begin -->
| item | by what physics |
| --- | --- |
| slow | Light has a speed. |
| now met | It was cold. |
<!-- missed: end -->
<!-- figures: begin -->
old
<!-- figures: end -->
More text.
`
	group := &measure.Group{Name: "g", Title: "The title", Reference: "s/b", Variants: []measure.Variant{{Name: "s/b"}}}
	got, err := Document(before, []*measure.Group{group}, measure.Results{"g/s/b": of(20)}, []Outcome{
		{"slow", false, "2.00 x", "1.00 x"},
		{"now met", true, "1.00 x", "1.00 x"},
		{"large", false, "3.00 x", "1.00 x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `Text.
<!-- targets: begin -->
| item | figure | target |  |
| --- | --- | --- | --- |
| slow | 2.00 x | ≤ 1.00 x | missed |
| now met | 1.00 x | ≤ 1.00 x | met |
| large | 3.00 x | ≤ 1.00 x | missed |

targets: 1 of 3 met
<!-- targets: end -->
<!-- missed: begin -->
| item | by what physics |
| --- | --- |
| slow | Light has a speed. |
| large | (not explained yet) |
<!-- missed: end -->
<!-- figures: begin -->
Measured on: ` + Machine() + `.

### The title

| situation | system | time | ratio | allocations | bytes |
| --- | --- | --- | --- | --- | --- |
| s | b | 20.0 ns | 1.00 | 20 | 20 B |
<!-- figures: end -->
More text.
`
	if got != want {
		t.Errorf("wrote:\n%s\nwant:\n%s", got, want)
	}
	if _, err := Document("no markers", nil, nil, nil); err == nil {
		t.Error("a document without markers is written")
	}
}

// The committed document has all parts.
func TestCommittedDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Document(string(text), nil, measure.Results{}, nil); err != nil {
		t.Error(err)
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	results := measure.Results{}
	if _, err := Picture(results); err == nil {
		t.Error("nothing is drawn")
	}
	for i, bar := range bars() {
		results[bar.key] = of(float64(100 * (i + 1)))
	}
	svg, err := Picture(results)
	if err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(strings.NewReader(svg))
	texts := map[string]string{}
	rects := 0
	for name := ""; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			name = token.Name.Local
			if name == "rect" {
				rects++
			}
		case xml.CharData:
			texts[name] += string(token)
		}
	}
	if rects != 1+len(bars()) {
		t.Errorf("%d rectangles for %d systems", rects, len(bars()))
	}
	if !strings.Contains(texts["title"], "Cost of a check") || !strings.Contains(texts["desc"], "grpcauth (Guard) 100, ") {
		t.Errorf("the text alternatives are %q and %q", texts["title"], texts["desc"])
	}
	if !strings.Contains(svg, `width="396.0"`) || !strings.Contains(svg, `>700 ns<`) {
		t.Errorf("the longest bar is not as long as there is room:\n%s", svg)
	}
}

func TestMachine(t *testing.T) {
	t.Parallel()
	if got := Machine(); !strings.Contains(got, " cores, ") || !strings.Contains(got, ", go1.") {
		t.Errorf("the machine is %q", got)
	}
}
