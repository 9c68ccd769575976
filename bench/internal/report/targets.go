package report

import (
	"fmt"
	"io"
	"math"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
)

// Target is a figure that should not be above a limit.
type Target struct {
	Row  string
	Unit string // "" for a ratio, which is printed with "x"
	// figure returns the value and its limit. It is false if the run measured too little.
	figure func(measure.Results) (value, limit float64, ok bool)
}

// Outcome is what became of a target.
type Outcome struct {
	Row    string
	Met    bool
	Value  string
	Target string
}

// within returns a figure with a limit that is known beforehand.
func within(limit float64, value func(measure.Results) (float64, bool)) func(measure.Results) (float64, float64, bool) {
	return func(r measure.Results) (float64, float64, bool) {
		got, ok := value(r)
		return got, limit, ok
	}
}

// ratio is the median of the rounds' ratios of time.
func ratio(of, to string) func(measure.Results) (float64, bool) {
	return func(r measure.Results) (float64, bool) { return r.Ratio(of, to, nanos) }
}

// worst is the highest of several figures.
func worst(values ...func(measure.Results) (float64, bool)) func(measure.Results) (float64, bool) {
	return func(r measure.Results) (float64, bool) {
		highest := math.Inf(-1)
		for _, value := range values {
			got, ok := value(r)
			if !ok {
				return 0, false
			}
			highest = max(highest, got)
		}
		return highest, true
	}
}

// median of one figure of one variant.
func median(of string, figure func(measure.Sample) float64) func(measure.Results) (float64, bool) {
	return func(r measure.Results) (float64, bool) {
		if len(r[of]) == 0 {
			return 0, false
		}
		return figure(r[of].Median()), true
	}
}

// more is how many more allocations one variant makes than another, in whole ones. The medians have fractions: what a
// connection does now and then is shared by the calls of a round.
func more(of, than string) func(measure.Results) (float64, bool) {
	return func(r measure.Results) (float64, bool) {
		above, ok := median(of, allocs)(r)
		below, okBelow := median(than, allocs)(r)
		return math.Round(above - below), ok && okBelow
	}
}

// beyond is how many more allocations a variant makes than so many.
func beyond(expected float64, of string) func(measure.Results) (float64, bool) {
	return func(r measure.Results) (float64, bool) {
		got, ok := median(of, allocs)(r)
		return math.Round(got) - expected, ok
	}
}

// Judge a target. It is false if the run measured too little.
func (t Target) Judge(results measure.Results) (Outcome, bool) {
	value, limit, ok := t.figure(results)
	if !ok || math.IsNaN(value) || math.IsInf(value, 0) {
		return Outcome{}, false
	}
	const hundredths = 100
	written := func(value float64) string {
		switch t.Unit {
		case "":
			return fmt.Sprintf("%.2f x", value)
		case unitNanos:
			return fmt.Sprintf("%.1f %s", value, t.Unit)
		default:
			return fmt.Sprintf("%.0f %s", value, t.Unit)
		}
	}
	return Outcome{
		Row:    t.Row,
		Met:    math.Round(value*hundredths) <= math.Round(limit*hundredths),
		Value:  written(value),
		Target: written(limit),
	}, true
}

// Verdict judges all targets, in their order. It names those for which the run measured too little.
func Verdict(results measure.Results) (outcomes []Outcome, unknown []string) {
	for _, target := range Targets() {
		if outcome, ok := target.Judge(results); ok {
			outcomes = append(outcomes, outcome)
		} else {
			unknown = append(unknown, target.Row)
		}
	}
	return outcomes, unknown
}

// Summary prints a line for each outcome, and how many targets are met.
func Summary(out io.Writer, outcomes []Outcome) error {
	met := 0
	for _, outcome := range outcomes {
		word := "missed"
		if outcome.Met {
			word = "met   "
			met++
		}
		if _, err := fmt.Fprintf(out, "%s %s: %s (target <= %s)\n",
			word, outcome.Row, outcome.Value, outcome.Target); err != nil {
			return fmt.Errorf("print the targets: %w", err)
		}
	}
	if _, err := fmt.Fprintf(out, "targets: %d of %d met\n", met, len(outcomes)); err != nil {
		return fmt.Errorf("print the targets: %w", err)
	}
	return nil
}
