package rules

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"google.golang.org/grpc/metadata"
)

// With the grpc that is required, metadata is read where it is, and as grpc's own function reads it.
func TestIncomingIsReadAsByGRPC(t *testing.T) {
	t.Parallel()
	for name, md := range map[string]metadata.MD{
		"usual":       metadata.Pairs("x-a", "1", "x-b", "2"),
		"repeated":    metadata.Pairs("x-a", "1", "x-a", "2"),
		"no value":    {"x-a": nil},
		"spelled":     {"X-a": {"1"}, "x-b": {"2"}},
		"both":        {"X-A": {"1"}, "x-a": {"2"}},
		"longer":      {"x-a-": {"1"}, "x": {"2"}},
		"other":       {"x-c": {"1"}},
		"no metadata": {},
	} {
		for i := range 20 { // so that a spelling is hardly ever the first that is looked at
			if _, full := md["x-a"]; !full && len(md) > 0 {
				md.Set("y-"+strconv.Itoa(i), "3")
			}
		}
		ctx := metadata.NewIncomingContext(t.Context(), md)
		arrived := incomingOf(ctx)
		if arrived.md == nil {
			t.Errorf("%s: the metadata is not found in its context", name)
		}
		want := metadata.ValueFromIncomingContext(ctx, "x-a")
		if got := arrived.values("x-a"); !slices.Equal(got, want) {
			t.Errorf("%s: %q, by grpc %q", name, got, want)
		}
		elsewhere := incoming{ctx: ctx} // as if grpc kept it in a way that is not known here
		if got := elsewhere.values("x-a"); !slices.Equal(got, want) {
			t.Errorf("%s, by grpc's function: %q, want %q", name, got, want)
		}
	}
	kelvin := metadata.NewIncomingContext(t.Context(), metadata.MD{"x-\u212a": {"1"}})
	if values := incomingOf(kelvin).values("x-k"); values != nil {
		t.Errorf("a letter that folds to one of the key's counts: %q", values)
	}
	if arrived := incomingOf(t.Context()); arrived.md != nil || arrived.values("x-a") != nil {
		t.Errorf("without metadata: %v", arrived)
	}
	outer := metadata.NewOutgoingContext(context.Background(), metadata.Pairs("x-a", "1"))
	if arrived := incomingOf(outer); arrived.values("x-a") != nil {
		t.Errorf("of outgoing metadata: %v", arrived)
	}
}
