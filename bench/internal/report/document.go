package report

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
)

// The parts of docs/performance.md that a run writes.
const (
	figuresPart = "figures"
	targetsPart = "targets"
	missedPart  = "missed"
)

const unexplained = "(not explained yet)"

// Document puts the figures of a run into docs/performance.md. Why a target is missed is for people to say: their
// sentences stay, as long as the target is missed.
func Document(
	text string, groups []*measure.Group, results measure.Results, outcomes []Outcome,
) (string, error) {
	text, err := replace(text, figuresPart, func(string) string { return figuresText(groups, results) })
	if err != nil {
		return "", err
	}
	text, err = replace(text, targetsPart, func(string) string { return targetsText(outcomes) })
	if err != nil {
		return "", err
	}
	return replace(text, missedPart, func(old string) string { return missedText(old, outcomes) })
}

// replace gives the text between two markers to a function, and puts there what it returns.
func replace(text, part string, with func(old string) string) (string, error) {
	begin, end := "<!-- "+part+": begin -->\n", "<!-- "+part+": end -->"
	before, rest, ok := strings.Cut(text, begin)
	old, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", fmt.Errorf("the document has no part between %q and %q", strings.TrimSpace(begin), end)
	}
	return before + begin + with(old) + end + after, nil
}

func figuresText(groups []*measure.Group, results measure.Results) string {
	var text strings.Builder
	fmt.Fprintf(&text, "Measured on: %s.\n", Machine())
	for _, group := range groups {
		f := figures(group, results)
		fmt.Fprintf(&text, "\n### %s\n\n", f.Title)
		columns := f.Head.columns()
		writeRow(&text, columns)
		writeRule(&text, len(columns))
		for _, one := range f.rows {
			writeRow(&text, one.columns())
		}
	}
	return text.String()
}

func (r row) columns() []string {
	columns := []string{r.situation, r.system, r.time, r.ratio}
	if r.allocs != "" {
		columns = append(columns, r.allocs)
	}
	return append(columns, r.bytes)
}

func writeRow(text *strings.Builder, columns []string) {
	fmt.Fprintf(text, "| %s |\n", strings.Join(columns, " | "))
}

func writeRule(text *strings.Builder, columns int) {
	writeRow(text, slices.Repeat([]string{"---"}, columns))
}

func targetsText(outcomes []Outcome) string {
	var text strings.Builder
	writeRow(&text, []string{"item", "figure", "target", ""})
	writeRule(&text, 4) //nolint:mnd // as many as above
	met := 0
	for _, outcome := range outcomes {
		word := "missed"
		if outcome.Met {
			word = "met"
			met++
		}
		writeRow(&text, []string{outcome.Row, outcome.Value, "≤ " + outcome.Target, word})
	}
	fmt.Fprintf(&text, "\ntargets: %d of %d met\n", met, len(outcomes))
	return text.String()
}

// missedText keeps the reasons that people gave.
func missedText(old string, outcomes []Outcome) string {
	reasons := map[string]string{}
	for _, line := range regexp.MustCompile(`(?m)^\| (.*?) \| (.*) \|$`).FindAllStringSubmatch(old, -1) {
		reasons[line[1]] = line[2]
	}
	var text strings.Builder
	writeRow(&text, []string{"item", "by what physics"})
	writeRule(&text, 2) //nolint:mnd // as many as above
	missed := false
	for _, outcome := range outcomes {
		if outcome.Met {
			continue
		}
		missed = true
		reason := reasons[outcome.Row]
		if reason == "" {
			reason = unexplained
		}
		writeRow(&text, []string{outcome.Row, reason})
	}
	if !missed {
		return "None.\n"
	}
	return text.String()
}
