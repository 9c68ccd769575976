package calls_test

import (
	"regexp"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/calls"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
)

// A call that comes out otherwise than its name says ends the run.
func TestCallsComeOutAsNamed(t *testing.T) {
	t.Parallel()
	group, err := calls.Group(1, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	results := measure.Results{}
	if err := group.Run(regexp.MustCompile(""), results); err != nil {
		t.Fatal(err)
	}
	// Unary: eight systems over loopback, of which one is not measured in memory, each accepted and refused but for
	// the one that refuses nothing. Streams: four systems on both.
	if want := (15 + 13) + 2*7; len(results) != want {
		t.Errorf("%d variants, want %d", len(results), want)
	}
	for name, series := range results {
		if series[0].Nanos < 1000 || series[0].Allocs < 50 {
			t.Errorf("%s: a call end to end is measured as %+v", name, series[0])
		}
	}
}
