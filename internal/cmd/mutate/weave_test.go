package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Of mutants around one part the first stands outside, and what closes comes before what opens.
func TestWeave(t *testing.T) {
	t.Parallel()
	got := string(weave([]byte("if a<b{c}"), []*mutant{
		{number: 0, start: 3, end: 6, before: "(0 ", after: " 0)"},
		{number: 1, start: 3, end: 6, before: "(1 ", after: " 1)"},
		{number: 2, start: 3, end: 4, before: "<2 ", after: " 2>"},
		{number: 3, start: 8, end: 8, before: "; !3", after: ""},
		{number: 4, start: 7, end: 8, before: "{4 ", after: " 4}"},
	}))
	if want := "if (0 (1 <2 a 2><b 1) 0){{4 c 4}; !3}"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestSurvivorsAreExplained(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "survivors.txt")
	for content, want := range map[string]int{"# why\na\nb\n\n# why not\nc\n": 3, "a\n": -1, "": 0} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		explained, err := readSurvivors(path)
		if err != nil && want >= 0 || err == nil && len(explained) != want {
			t.Errorf("%q: %v, %v", content, explained, err)
		}
	}
	if explained, err := readSurvivors("survivors.txt"); err != nil || len(explained) == 0 {
		t.Errorf("%v, %v", explained, err)
	}
}

// A survivor fails the run unless it is explained, and an explanation fails a whole run unless it is needed.
func TestJudge(t *testing.T) {
	t.Parallel()
	one := &mutant{file: "a.go", function: "f", change: "x → y"}
	survived, killed := &outcome{survived: []*mutant{one}}, &outcome{killed: []*mutant{one}}
	explained := map[string]string{one.key(): "why"}
	for _, test := range []struct {
		outcome   *outcome
		explained map[string]string
		all, ok   bool
	}{
		{survived, nil, true, false},
		{survived, explained, true, true},
		{survived, explained, false, true},
		{killed, nil, true, true},
		{killed, explained, true, false},
		{killed, explained, false, true},
	} {
		if err := test.outcome.judge(test.explained, test.all); (err == nil) != test.ok {
			t.Errorf("%+v: %v", test, err)
		}
	}
}
