package measure_test

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
)

func TestMedianAndQuantile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		figures       []float64
		median, upper float64
	}{
		{[]float64{7}, 7, 7},
		{[]float64{9, 1}, 1, 1},
		{[]float64{9, 1, 5}, 5, 5},
		{[]float64{4, 3, 2, 1}, 2, 3},
		{[]float64{5, 4, 3, 2, 1}, 3, 4},
	} {
		given := slices.Clone(test.figures)
		if got := measure.Median(test.figures); got != test.median {
			t.Errorf("median of %v is %v, want %v", test.figures, got, test.median)
		}
		if got := measure.Quantile(test.figures, 3, 4); got != test.upper {
			t.Errorf("upper quartile of %v is %v, want %v", test.figures, got, test.upper)
		}
		if !slices.Equal(test.figures, given) {
			t.Errorf("%v became %v", given, test.figures)
		}
	}
}

func TestSeries(t *testing.T) {
	t.Parallel()
	series := measure.Series{{1, 30, 500}, {2, 20, 400}, {3, 10, 600}, {4, 40, 700}, {5, 50, 800}}
	if got := series.Median(); got != (measure.Sample{Nanos: 3, Allocs: 30, Bytes: 600}) {
		t.Errorf("the median is %+v", got)
	}
	if got := series.UpperQuartile(); got != 4 {
		t.Errorf("the upper quartile is %v", got)
	}
}

// A machine that is twice as slow in most rounds changes medians, and not the ratio.
func TestRatioIsThatOfTheRounds(t *testing.T) {
	t.Parallel()
	results := measure.Results{
		"a": {{Nanos: 10}, {Nanos: 20}, {Nanos: 20}, {Nanos: 10}, {Nanos: 99}},
		"b": {{Nanos: 5}, {Nanos: 10}, {Nanos: 10}, {Nanos: 5}, {Nanos: 1}},
		"c": {{Nanos: 5}},
	}
	nanos := func(s measure.Sample) float64 { return s.Nanos }
	if got, ok := results.Ratio("a", "b", nanos); got != 2 || !ok {
		t.Errorf("the ratio is %v, %v", got, ok)
	}
	for _, pair := range [][2]string{{"a", "c"}, {"a", "missing"}, {"missing", "a"}, {"missing", "missing"}} {
		if got, ok := results.Ratio(pair[0], pair[1], nanos); ok {
			t.Errorf("the ratio of %v is %v", pair, got)
		}
	}
}

var sink []byte

func TestLoopMeasuresOneOperation(t *testing.T) {
	variant := measure.Loop("x", time.Millisecond, func(n int) error {
		for range n {
			sink = make([]byte, 1024)
		}
		return nil
	})
	for range 3 {
		got, err := variant.Sample()
		if err != nil {
			t.Fatal(err)
		}
		if got.Allocs < 1 || got.Allocs > 1.1 || got.Bytes < 1024 || got.Bytes > 1100 {
			t.Errorf("an allocation of 1,024 bytes is measured as %+v", got)
		}
		if got.Nanos <= 0 || got.Nanos > float64(time.Millisecond) {
			t.Errorf("it took %v ns", got.Nanos)
		}
	}
	slept := measure.Loop("x", time.Millisecond, func(n int) error {
		time.Sleep(time.Duration(n) * time.Millisecond)
		return nil
	})
	got, err := slept.Sample()
	if err != nil || got.Nanos < float64(time.Millisecond) {
		t.Errorf("a millisecond is measured as %v ns, %v", got.Nanos, err)
	}
}

func TestFailuresAreReported(t *testing.T) {
	t.Parallel()
	broken := errors.New("it is broken")
	group := measure.Group{Name: "group", Rounds: 2, Variants: []measure.Variant{
		measure.Loop("situation/system", time.Microsecond, func(int) error { return broken }),
	}}
	err := group.Run(regexp.MustCompile(""), measure.Results{})
	if !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "group/situation/system: ") {
		t.Errorf("the error is %v", err)
	}
}

func TestRounds(t *testing.T) {
	t.Parallel()
	for _, warmUp := range []bool{false, true} {
		var order []string
		group := measure.Group{Name: "g", Rounds: 20, WarmUp: warmUp}
		for _, name := range []string{"s/a", "s/b", "s/c", "other/a"} {
			group.Variants = append(group.Variants, measure.Variant{Name: name, Sample: func() (measure.Sample, error) {
				order = append(order, name)
				return measure.Sample{Nanos: float64(len(order))}, nil
			}})
		}
		results := measure.Results{}
		if err := group.Run(regexp.MustCompile("^s/"), results); err != nil {
			t.Fatal(err)
		}
		first := 0
		if warmUp {
			first = 3
		}
		if len(order) != 60+first || len(results) != 3 {
			t.Fatalf("warm-up %v: %d samples for %d variants", warmUp, len(order), len(results))
		}
		for name, series := range results {
			if len(series) != 20 || series[0].Nanos <= float64(first) {
				t.Errorf("%s: %d samples, the first is %v", name, len(series), series[0])
			}
		}
		orders := map[string]bool{}
		for round := range slices.Chunk(order, 3) {
			orders[strings.Join(round, " ")] = true
			slices.Sort(round)
			if !slices.Equal(round, []string{"s/a", "s/b", "s/c"}) {
				t.Errorf("a round takes %v", round)
			}
		}
		if len(orders) < 4 {
			t.Errorf("of six possible orders %d occur", len(orders))
		}
	}
}
