package grpcauth

import (
	"strconv"
	"strings"
	"testing"
)

// What passed is remembered, whole, and stays so; the rest is not, whatever shares its place.
func TestPassing(t *testing.T) {
	t.Parallel()
	var remembered passing
	const first = "/grpc.health.v1.Health/Check"
	if remembered.holds(first) || remembered.holds("") {
		t.Error("remembers what never passed")
	}
	remembered.add(first)
	kept := 0
	for i := range 10_000 {
		name := first[:len(first)-1] + strconv.Itoa(i)
		if remembered.holds(name) {
			t.Fatalf("remembers %q", name)
		}
		remembered.add(name)
		if remembered.holds(name) {
			kept++
		}
	}
	if !remembered.holds(first) || kept == 0 || kept >= len(remembered) {
		t.Errorf("remembers the first: %t, and %d others", remembered.holds(first), kept)
	}
	for _, length := range []int{0, 1, 2, longestPassing, longestPassing + 1} {
		var empty passing
		name := strings.Repeat("x", length)
		empty.add(name)
		if empty.holds(name) != (length <= longestPassing) {
			t.Errorf("%d bytes: remembered %t", length, empty.holds(name))
		}
	}
}
