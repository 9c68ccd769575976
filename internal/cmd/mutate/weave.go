package main

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// mutant is one fault: text that is put around a part of a source and does nothing until its number is chosen.
type mutant struct {
	number        int
	file          string // from the module's root
	line          int
	function      string
	change        string // "len(text) < 3 → true"
	again         int    // counts equal changes in one function
	start, end    int    // the part of the source
	before, after string // what is put around it
}

func (m *mutant) String() string {
	return fmt.Sprintf("%s:%d: %s", m.file, m.line, strings.TrimPrefix(m.key(), m.file+": "))
}

// key names the mutant in survivors.txt: without its line, which changes with every edit above it.
func (m *mutant) key() string {
	if m.again > 0 {
		return fmt.Sprintf("%s: %s: %s #%d", m.file, m.function, m.change, m.again+1)
	}
	return fmt.Sprintf("%s: %s: %s", m.file, m.function, m.change)
}

func (m *mutant) matches(text string) bool { return strings.Contains(m.String(), text) }

// weave puts all mutants of a file into its source. Of two around the same part, the first stands outside.
func weave(source []byte, mutants []*mutant) []byte {
	type insertion struct {
		at, other int // other is where its counterpart stands
		opens     bool
		order     int
		text      string
	}
	insertions := make([]insertion, 0, 2*len(mutants))
	for _, m := range mutants {
		insertions = append(insertions,
			insertion{m.start, m.end, true, m.number, m.before},
			insertion{m.end, m.start, false, m.number, m.after})
	}
	slices.SortFunc(insertions, func(a, b insertion) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.opens != b.opens && a.opens:
			return 1
		case a.opens != b.opens:
			return -1
		case a.opens:
			return cmp.Or(cmp.Compare(b.other, a.other), cmp.Compare(a.order, b.order))
		default:
			return cmp.Or(cmp.Compare(b.other, a.other), cmp.Compare(b.order, a.order))
		}
	})
	var woven bytes.Buffer
	done := 0
	for _, one := range insertions {
		woven.Write(source[done:one.at])
		woven.WriteString(one.text)
		done = one.at
	}
	woven.Write(source[done:])
	return woven.Bytes()
}

// variable tells a test binary which mutant is in force.
const variable = "GRPCAUTH_MUTANT"

// switchboard is the file that the woven text needs.
func switchboard(packageName string) []byte {
	return fmt.Appendf(nil, `package %s

import (
	"os"
	"strconv"
)

var mutantInForce = func() int {
	number, err := strconv.Atoi(os.Getenv(%q))
	if err != nil {
		return -1
	}
	return number
}()

func mutant(number int) bool { return mutantInForce == number }

func mutantAdd[T ~int | ~int64 | ~uint8 | ~uint32 | ~uint64](number, by int, value T) T {
	if mutant(number) {
		return value + T(by)
	}
	return value
}

func mutantPick[T any](number int, value, other T) T {
	if mutant(number) {
		return other
	}
	return value
}
`, packageName, variable)
}
