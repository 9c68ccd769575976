package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// guard is one entry of guards.txt, and what became of it.
type guard struct {
	row      string // "T11"
	file     string
	function string // "Evaluator.arrived"
	without  string // what is let through without it
	packages []string
	changes  []change

	tried   bool
	failing []string // the tests that noticed
	problem string
}

// change replaces text that stands in a file once.
type change struct{ file, before, after string }

func (g *guard) String() string {
	return fmt.Sprintf("%s %s %s: %s", g.row, g.file, g.function, g.without)
}

var heading = regexp.MustCompile(`^== (T[0-9]+) (\S+) (\S+): (.+)$`)

// parse reads guards.txt, which describes its format.
func parse(content string) ([]*guard, error) {
	var guards []*guard
	var last *guard
	var at *change
	for line := range strings.SplitSeq(content, "\n") {
		if parts := heading.FindStringSubmatch(line); parts != nil {
			last = &guard{row: parts[1], file: parts[2], function: parts[3], without: parts[4]}
			last.packages = []string{"./" + path.Dir(last.file)}
			last.changes = []change{{file: last.file}}
			at = &last.changes[0]
			guards = append(guards, last)
			continue
		}
		switch sign, rest := cutSign(line); {
		case sign == "" || sign == "#":
		case last == nil:
			return nil, fmt.Errorf("%s: %q stands before all entries", guardsFile, line)
		case sign == "tests":
			last.packages = strings.Fields(rest)
		case sign == "-":
			at.before += rest + "\n"
		case sign == "+":
			at.after += rest + "\n"
		case sign == "@@":
			file := at.file
			if rest != "" {
				file = rest
			}
			if at.before != "" {
				last.changes = append(last.changes, change{})
				at = &last.changes[len(last.changes)-1]
			}
			at.file = file
		default:
			return nil, fmt.Errorf("%s: %q is no line of an entry", guardsFile, line)
		}
	}
	return guards, nil
}

// cutSign tells what a line is: "" for a blank one.
func cutSign(line string) (sign, rest string) {
	switch {
	case line == "":
		return "", ""
	case line[0] == '-', line[0] == '+':
		return line[:1], line[1:]
	default:
		sign, rest, _ = strings.Cut(line, " ")
		return sign, rest
	}
}
