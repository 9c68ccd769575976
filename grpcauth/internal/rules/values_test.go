package rules

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"testing/quick"
)

// roundTrip formats, parses and stores a value, as a client, a server and a handler do.
func roundTrip[T Text](t *testing.T, typ Type, typed T) T {
	t.Helper()
	text := Format(typed)
	number, ok := parse(typ, text)
	if !ok {
		t.Fatalf("%v is written as %q, which does not parse", typed, text)
	}
	var back T
	(&Credential{Text: text, number: number}).Store(&back)
	return back
}

func TestValuesComeBackAsTheyWereSent(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 1, -1, 10, -10, math.MaxInt64, math.MinInt64, math.MaxInt32, math.MinInt32} {
		if back := roundTrip(t, Int64, n); back != n {
			t.Errorf("%d came back as %d", n, back)
		}
	}
	for _, n := range []uint64{0, 1, 10, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
		if back := roundTrip(t, Uint64, n); back != n {
			t.Errorf("%d came back as %d", n, back)
		}
	}
	for _, b := range []bool{true, false} {
		if back := roundTrip(t, Bool, b); back != b {
			t.Errorf("%t came back as %t", b, back)
		}
	}
	for name, same := range map[string]any{
		"int64":  func(n int64) bool { return roundTrip(t, Int64, n) == n },
		"uint64": func(n uint64) bool { return roundTrip(t, Uint64, n) == n },
		"string": func(s string) bool { return s == "" || roundTrip(t, String, s) == s },
		"bytes":  func(b []byte) bool { return len(b) == 0 || bytes.Equal(roundTrip(t, Bytes, b), b) },
	} {
		if err := quick.Check(same, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIsOneOfIsExact(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text     string
		literals []string
		want     bool
	}{
		{"a", nil, false},
		{"", nil, false},
		{"a", []string{"a"}, true},
		{"a", []string{"b"}, false},
		{"", []string{"a"}, false},
		{"ab", []string{"a", "b"}, false},
		{"a", []string{"a", "b"}, true},
		{"b", []string{"a", "b"}, true},
		{"a", []string{"a", "a"}, true},
		{"b", []string{"a", "bb", "b"}, true},
		{"A", []string{"a"}, false},
		{"a ", []string{"a"}, false},
		{"aaaaaaaaaaaaaaaa", []string{"aaaaaaaaaaaaaaab"}, false},
		{"aaaaaaaaaaaaaaaa", []string{"baaaaaaaaaaaaaaa"}, false},
	} {
		if got := isOneOf(test.text, test.literals); got != test.want {
			t.Errorf("%q in %q: %t, want %t", test.text, test.literals, got, test.want)
		}
	}
}

func TestComposeSaysWhyNot(t *testing.T) {
	t.Parallel()
	compiled, err := Compile(&Service{Name: "a.v1.A", Methods: []Method{{
		FullMethod: "/a.v1.A/Get", Denial: Denial{Code: 16},
		Headers: []Header{
			{Name: "x-s", Present: String},
			{Name: "x-bin", Present: Bytes},
			{Name: "x-in", In: []string{"a", "b"}},
			{Name: "x-equals", Equals: "42"},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	required, _ := compiled[0].Required()
	var names, literals []string
	for _, header := range required {
		names, literals = append(names, header.Header), append(literals, header.Literal)
	}
	if !slices.Equal(names, []string{"x-s", "x-bin", "x-in", "x-equals"}) || !slices.Equal(literals, []string{"", "", "", "42"}) {
		t.Errorf("required: %q with literals %q", names, literals)
	}
	for _, test := range []struct {
		header int
		text   string
		passes bool
	}{
		{0, "", false},
		{0, "a", true},
		{0, " ~", true},
		{0, "\x1f", false},
		{0, "\x7f", false},
		{0, "é", false},
		{0, "a\x00", false},
		{1, "", false},
		{1, "\x00\xff", true},
		{2, "", false},
		{2, "a", true},
		{2, "c", false},
		{2, "ab", false},
		{3, "42", true},
		{3, "43", false},
	} {
		text, why := required[test.header].Compose(Credential{Text: test.text})
		if (why == "") != test.passes || (text == test.text) != (test.passes || test.text == "") {
			t.Errorf("%s %q: %q", required[test.header].Header, test.text, why)
		}
	}
}
