package fuzz

import (
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/draw"
)

// What the fuzzer begins with reaches every end of a check, and calls that pass for several reasons.
func TestSeedsReachEveryEnd(t *testing.T) {
	t.Parallel()
	const few = 5
	ends := map[string]int{}
	for _, seed := range seeds(evaluatorSeeds, seedLength) {
		source := draw.From(seed)
		rule := source.Rule(source.Types())
		answers := source.Answers()
		want := rule.Judge(source.Call(rule), answers)
		ends[want.Reason]++
		if len(want.Asked) > 1 {
			ends["two questions"]++
		}
		if !want.Allowed {
			continue
		}
		if len(want.Values) > 0 {
			ends["values"]++
		}
		if want.Trail != "" {
			ends["a trail"]++
		}
		if len(rule.AnyOf) > 0 {
			ends["alternatives"]++
		}
	}
	t.Log(ends)
	for _, end := range []string{
		"allowed", "missing", "repeated", "malformed", "refused", "scope missing", "verifier failed",
		"two questions", "values", "a trail", "alternatives",
	} {
		if ends[end] < few {
			t.Errorf("%q is reached %d times", end, ends[end])
		}
	}
}
