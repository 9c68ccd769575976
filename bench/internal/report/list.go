package report

import "github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"

// The doors of ours.
const (
	doorGuard       = "guard"
	doorInterceptor = "interceptor"
)

const (
	unitNanos  = "ns"
	unitAllocs = "allocations"
)

const (
	b        = "check/allow/careful"
	bMissing = "check/missing/careful"
	bStream  = "stream/allow/careful"
)

// Targets are the rows that a run is judged by. Where a row speaks of several cases, the worst one decides.
func Targets() []Target {
	return concat(checkTargets(), callTargets(), toolTargets())
}

func concat(lists ...[]Target) []Target {
	var all []Target
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

//nolint:mnd // the numbers are the targets
func checkTargets() []Target {
	return []Target{
		{Row: "check alone, allow", figure: within(1, ratio("check/allow/guard", b))},
		{Row: "check alone, deny wrong", figure: within(1, ratio("check/wrong/guard", b))},
		{Row: "check alone, deny missing", figure: within(1, ratio("check/missing/guard", bMissing))},
		{Row: "check alone, 4 headers", figure: within(1, ratio("headers/four/guard", "headers/four/careful"))},
		{
			Row: "check alone, beyond one allocation per header", Unit: unitAllocs,
			figure: within(0, worst(
				beyond(1, "check/allow/guard"), beyond(1, "check/allow/interceptor"),
				beyond(1, "check/wrong/guard"), beyond(1, "check/wrong/interceptor"),
				beyond(4, "headers/four/guard"), beyond(8, "headers/eight/guard"),
			)),
		},
		{
			Row:    "1,000 methods, Guard, by one method",
			figure: within(1.1, ratio("methods/1000 methods/guard", "methods/1 method/guard")),
		},
		{
			Row:    "1,000 methods, merged interceptor, by one method",
			figure: within(1.8, ratio("methods/1000 methods/merged", "methods/1 method/merged")),
		},
		{
			Row: "method of no concern to us", Unit: unitNanos,
			figure: within(15, median("unconcerned/health check/interceptor", nanos)),
		},
		{
			Row: "method of no concern to us, allocations", Unit: unitAllocs,
			figure: within(0, beyond(0, "unconcerned/health check/interceptor")),
		},
		{
			Row:    "streams",
			figure: within(1, worst(ratio("stream/allow/guard", bStream), ratio("stream/wrong/guard", bStream))),
		},
		{
			Row: "streams, wrapped without a context to pass on", Unit: unitAllocs,
			figure: within(0, worst(beyond(1, "stream/allow/guard"), beyond(1, "stream/allow/interceptor"))),
		},
	}
}

//nolint:mnd // the numbers are the targets
func callTargets() []Target {
	const refused, old, small = "refused/1 MiB/", "refused/1 MiB, old connection/", "refused small/small/"
	return []Target{
		{Row: "end to end over loopback, accepted, by no check", figure: withinNoise("calls/loopback, ")},
		{Row: "end to end in memory, accepted, by no check", figure: withinNoise("calls/in memory, ")},
		{
			Row: "end to end, accepted, more than no check", Unit: unitAllocs,
			figure: within(3, worst(
				more("calls/loopback, unary accepted/guard", "calls/loopback, unary accepted/none"),
				more("calls/loopback, unary accepted/interceptor", "calls/loopback, unary accepted/none"),
				more("calls/loopback, stream accepted/guard", "calls/loopback, stream accepted/none"),
				more("calls/loopback, stream accepted/interceptor", "calls/loopback, stream accepted/none"),
			)),
		},
		{Row: "refused small call, server CPU, Guard by any interceptor", figure: within(0.9, cheapest(small, nanos))},
		{
			Row:    "refused small call, end to end in memory, Guard by any interceptor",
			figure: within(0.9, cheapest("calls/in memory, unary refused/", nanos)),
		},
		{Row: "refused 1 MiB, server CPU, Guard by any interceptor", figure: within(0.35, cheapest(refused, nanos))},
		{Row: "refused 1 MiB, server heap, Guard by any interceptor", figure: within(0.15, cheapest(refused, bytes))},
		{
			Row:    "refused 1 MiB on an old connection, server CPU, Guard by any interceptor",
			figure: within(0.35, cheapest(old, nanos)),
		},
		{
			Row:    "refused 1 MiB on an old connection, server heap, Guard by any interceptor",
			figure: within(0.15, cheapest(old, bytes)),
		},
		{
			Row:    "refused 1 MiB gzip, server CPU, Guard by any interceptor",
			figure: within(0.15, cheapest("refused/1 MiB gzip/", nanos)),
		},
		{
			Row:    "client's interceptor, one header, by AppendToOutgoingContext",
			figure: within(1, ratio("client/interceptor/ours", "client/interceptor/AppendToOutgoingContext")),
		},
		{
			Row: "client end to end, more than without a header", Unit: unitAllocs,
			figure: within(8, more("client calls/loopback, unary/ours", "client calls/loopback, unary/no header")),
		},
	}
}

// interceptors are those that Guard is compared with.
func interceptors() []string {
	return []string{"careful", "usual", "middleware", "middleware, selector", "authz", doorInterceptor}
}

// cheapest is the ratio of Guard to the cheapest interceptor of those that are measured in a situation.
func cheapest(
	situation string, figure func(measure.Sample) float64,
) func(measure.Results) (float64, bool) {
	return func(r measure.Results) (highest float64, measured bool) {
		for _, system := range interceptors() {
			if got, ok := r.Ratio(situation+doorGuard, situation+system, figure); ok {
				highest, measured = max(highest, got), true
			}
		}
		return highest, measured
	}
}

// withinNoise compares accepted calls, behind Guard and behind our interceptors, with those that nothing checks. The
// limit is the noise of the latter in the same run: their upper quartile by their median.
func withinNoise(transport string) func(measure.Results) (float64, float64, bool) {
	return func(r measure.Results) (value, limit float64, ok bool) {
		for _, kind := range []string{"unary", "stream"} {
			situation := transport + kind + " accepted/"
			none := r[situation+"none"]
			if len(none) == 0 {
				return 0, 0, false
			}
			noise := none.UpperQuartile() / none.Median().Nanos
			for _, door := range []string{doorGuard, doorInterceptor} {
				got, measured := r.Ratio(situation+door, situation+"none", nanos)
				if !measured {
					return 0, 0, false
				}
				// The worst case is the one that is farthest above its own noise.
				if limit == 0 || got/noise > value/limit {
					value, limit = got, noise
				}
			}
		}
		return value, limit, true
	}
}

//nolint:mnd // the numbers are the targets
func toolTargets() []Target {
	return []Target{
		{
			Row:    "plugin, 100 x 20, CPU above floor by protoc-gen-go-grpc's",
			figure: within(0.35, aboveFloor("plugin/100 x 20/")),
		},
		{
			Row:    "plugin, 1000 x 20, CPU above floor by protoc-gen-go-grpc's",
			figure: within(0.35, aboveFloor("plugin/1000 x 20/")),
		},
		{Row: "plugin, memory by floor", figure: within(1.2, worst(memory("100 x 20"), memory("1000 x 20")))},
		{Row: "plugin, CPU of 1,000 files by ten times that of 100", figure: within(1.1, linear)},
		{
			Row:    "compiling 2,000 methods, CPU by an empty package",
			figure: within(2, ratio("compile/go/2000 methods", "compile/go/empty package")),
		},
	}
}

// memory is our plugin's by that of the floor.
func memory(size string) func(measure.Results) (float64, bool) {
	return func(r measure.Results) (float64, bool) {
		return r.Ratio("plugin/"+size+"/ours", "plugin/"+size+"/floor", bytes)
	}
}

// linear is what a file costs among a thousand by what it costs among a hundred.
func linear(r measure.Results) (float64, bool) {
	const times = 10
	got, ok := r.Ratio("plugin/1000 x 20/ours", "plugin/100 x 20/ours", nanos)
	return got / times, ok
}

// aboveFloor is what our plugin adds to the floor by what protoc-gen-go-grpc adds, as the median of the rounds.
func aboveFloor(size string) func(measure.Results) (float64, bool) {
	return func(r measure.Results) (float64, bool) {
		ours, theirs, floor := r[size+"ours"], r[size+"protoc-gen-go-grpc"], r[size+"floor"]
		if len(ours) == 0 || len(theirs) != len(ours) || len(floor) != len(ours) {
			return 0, false
		}
		ratios := make([]float64, 0, len(ours))
		for i := range ours {
			ratios = append(ratios, (ours[i].Nanos-floor[i].Nanos)/(theirs[i].Nanos-floor[i].Nanos))
		}
		return measure.Median(ratios), true
	}
}
