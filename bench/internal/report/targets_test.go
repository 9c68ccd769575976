package report

import (
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
)

func of(figures ...float64) measure.Series {
	var series measure.Series
	for _, figure := range figures {
		series = append(series, measure.Sample{Nanos: figure, Allocs: figure, Bytes: figure})
	}
	return series
}

func outcome(t *testing.T, row string, results measure.Results) Outcome {
	t.Helper()
	for _, target := range Targets() {
		if target.Row == row {
			outcome, ok := target.Judge(results)
			if !ok {
				t.Fatalf("%s cannot be judged", row)
			}
			return outcome
		}
	}
	t.Fatalf("there is no target %q", row)
	return Outcome{}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		row     string
		results measure.Results
		want    Outcome
	}{
		{
			"check alone, allow",
			measure.Results{"check/allow/guard": of(50.2), "check/allow/careful": of(50)},
			Outcome{Met: true, Value: "1.00 x", Target: "1.00 x"},
		},
		{
			"check alone, allow",
			measure.Results{"check/allow/guard": of(50.3), "check/allow/careful": of(50)},
			Outcome{Met: false, Value: "1.01 x", Target: "1.00 x"},
		},
		{
			"method of no concern to us",
			measure.Results{"unconcerned/health check/interceptor": of(15)},
			Outcome{Met: true, Value: "15.0 ns", Target: "15.0 ns"},
		},
		{
			"method of no concern to us, allocations",
			measure.Results{"unconcerned/health check/interceptor": of(1)},
			Outcome{Met: false, Value: "1 allocations", Target: "0 allocations"},
		},
		{ // the worst case decides
			"streams",
			measure.Results{"stream/allow/careful": of(10), "stream/allow/guard": of(9), "stream/wrong/guard": of(12)},
			Outcome{Met: false, Value: "1.20 x", Target: "1.00 x"},
		},
		{ // the cheapest interceptor counts, of those that were measured
			"refused 1 MiB, server CPU, Guard by any interceptor",
			measure.Results{
				"refused/1 MiB/guard": of(30), "refused/1 MiB/careful": of(100), "refused/1 MiB/interceptor": of(80),
			},
			Outcome{Met: false, Value: "0.38 x", Target: "0.35 x"},
		},
		{
			"client end to end, more than without a header",
			measure.Results{
				"client calls/loopback, unary/ours": of(150.9), "client calls/loopback, unary/no header": of(142.6),
			},
			Outcome{Met: true, Value: "8 allocations", Target: "8 allocations"},
		},
		{
			"plugin, 100 x 20, CPU above floor by protoc-gen-go-grpc's",
			measure.Results{
				"plugin/100 x 20/ours": of(130, 140, 900), "plugin/100 x 20/floor": of(100, 100, 100),
				"plugin/100 x 20/protoc-gen-go-grpc": of(200, 200, 200),
			},
			Outcome{Met: false, Value: "0.40 x", Target: "0.35 x"},
		},
		{
			"plugin, CPU of 1,000 files by ten times that of 100",
			measure.Results{"plugin/100 x 20/ours": of(10), "plugin/1000 x 20/ours": of(110)},
			Outcome{Met: true, Value: "1.10 x", Target: "1.10 x"},
		},
	} {
		test.want.Row = test.row
		if got := outcome(t, test.row, test.results); got != test.want {
			t.Errorf("got %+v, want %+v", got, test.want)
		}
	}
}

// The limit is the noise of the server without a check.
func TestWithinNoise(t *testing.T) {
	t.Parallel()
	const row = "end to end over loopback, accepted, by no check"
	results := measure.Results{}
	for _, kind := range []string{"unary", "stream"} {
		situation := "calls/loopback, " + kind + " accepted/"
		results[situation+"none"] = of(98, 99, 100, 105, 120)
		results[situation+"guard"] = of(98, 99, 100, 105, 120)
		results[situation+"interceptor"] = of(98, 99, 100, 105, 120)
	}
	if got := outcome(t, row, results); !got.Met || got.Value != "1.00 x" || got.Target != "1.05 x" {
		t.Errorf("the same figures: %+v", got)
	}
	results["calls/loopback, stream accepted/interceptor"] = of(104, 105, 106, 112, 128)
	if got := outcome(t, row, results); got.Met || got.Value != "1.06 x" || got.Target != "1.05 x" {
		t.Errorf("slower than the upper quartile: %+v", got)
	}
	delete(results, "calls/loopback, unary accepted/guard")
	if _, limit, ok := withinNoise("calls/loopback, ")(results); ok {
		t.Errorf("judged without Guard's figures, by %v", limit)
	}
}

func TestNothingMeasuredIsNothingMet(t *testing.T) {
	t.Parallel()
	outcomes, unknown := Verdict(measure.Results{})
	if len(outcomes) != 0 || len(unknown) != len(Targets()) {
		t.Errorf("%d outcomes, %d unknown of %d", len(outcomes), len(unknown), len(Targets()))
	}
	outcomes, unknown = Verdict(measure.Results{"check/allow/guard": of(1), "check/allow/careful": of(0)})
	if len(outcomes) != 0 || len(unknown) != len(Targets()) {
		t.Errorf("a ratio to nothing is judged: %+v", outcomes)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := Summary(&out, []Outcome{{"fast", true, "0.98 x", "1.00 x"}, {"small", false, "9 allocations", "8 allocations"}})
	const want = `met    fast: 0.98 x (target <= 1.00 x)
missed small: 9 allocations (target <= 8 allocations)
targets: 1 of 2 met
`
	if err != nil || out.String() != want {
		t.Errorf("printed:\n%s, %v", out.String(), err)
	}
}
