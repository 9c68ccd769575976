package implies

import (
	"testing"

	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// dimension is a required header with all the values that it can have.
type dimension struct {
	header *grpcauthv1.Header
	values []string
}

func (d draw) dimension(name string) dimension {
	in := func(values ...string) dimension {
		return dimension{&grpcauthv1.Header{
			Name: name, Check: &grpcauthv1.Header_In{In: &grpcauthv1.Values{Values: values}},
		}, values}
	}
	header := &grpcauthv1.Header{Name: name, Type: grpcauthv1.Type_TYPE_BOOL}
	switch d.IntN(5) {
	case 0:
		header.Check = &grpcauthv1.Header_Present{Present: &grpcauthv1.Present{}}
		return dimension{header, []string{"true", "false"}}
	case 1: // a verifier that accepts both
		header.Check = &grpcauthv1.Header_Verify{Verify: &grpcauthv1.Verify{Scheme: "A"}}
		return dimension{header, []string{"A true", "a true", "A false", "a false"}}
	case 2:
		return in("1", "-1", "18446744073709551615")
	case 3:
		return in("1", "-1", "07", "true")
	default:
		return in("a", "b")
	}
}

// cells are alternatives that have a part of each dimension's values, or of some dimensions'.
func (d draw) cells(dimensions []dimension) []*grpcauthv1.Alternative {
	var made []*grpcauthv1.Alternative
	for range 1 + d.IntN(12) {
		alternative := &grpcauthv1.Alternative{}
		for _, dimension := range dimensions {
			name := dimension.header.GetName()
			switch d.IntN(4) {
			case 0:
				continue
			case 1:
				alternative.Headers = append(alternative.Headers, &grpcauthv1.Header{
					Name: name, Type: pick(d, types...), Check: &grpcauthv1.Header_Present{Present: &grpcauthv1.Present{}},
				})
				continue
			}
			values := some(d, dimension.values, len(dimension.values)-1)
			if len(values) == 0 {
				values = dimension.values[:1]
			}
			alternative.Headers = append(alternative.Headers, &grpcauthv1.Header{
				Name: name, Check: &grpcauthv1.Header_In{In: &grpcauthv1.Values{Values: values}},
			})
		}
		if len(alternative.GetHeaders()) > 0 {
			made = append(made, alternative)
		}
	}
	return made
}

// Where each header has few values, all calls that a admits are tried, so that the answer is known.
func TestImpliesIsExactWhereValuesAreFew(t *testing.T) {
	t.Parallel()
	const usual = 1_000
	total := forSeeds(t, usual, func(seed uint64, counted *tally) {
		d := newDraw(seed)
		var dimensions []dimension
		a := &grpcauthv1.Rule{}
		for _, name := range names[:1+d.IntN(4)] {
			dimensions = append(dimensions, d.dimension(name))
			a.Headers = append(a.GetHeaders(), dimensions[len(dimensions)-1].header)
		}
		b := &grpcauthv1.Rule{AnyOf: d.cells(dimensions)}
		methodA, okA := resolve(t, a)
		methodB, okB := resolve(t, b)
		if !okA || !okB {
			return // no alternatives
		}
		serverA, serverB := newServer(methodA), newServer(methodB)
		want := true
		for _, drawn := range product(methodA, dimensions) {
			if !serverA.admits(drawn) {
				t.Errorf("seed %d: a refuses %v", seed, drawn)
			}
			want = want && serverB.admits(drawn)
		}
		if want {
			counted.implied++
		} else {
			counted.witnesses++
		}
		if got := policy.Implies(methodA, methodB); got != want {
			t.Errorf("seed %d: got %v, want %v:\na: %s\nb: %s", seed, got, want, spelled(a), spelled(b))
		}
	})
	const tenth = 10
	if total.few(total.implied, tenth) || total.few(total.witnesses, tenth) {
		t.Error("the rules are too much alike")
	}
}

// product is all calls with one value of each dimension. The verifiers accept them.
func product(method *policy.Method, dimensions []dimension) []call {
	calls := []call{{md: metadata.MD{}, grants: map[slot][]string{}}}
	for _, header := range method.Headers {
		if verified(header) {
			calls[0].grants[slotOf(header)] = nil
		}
	}
	for _, dimension := range dimensions {
		var longer []call
		for _, begun := range calls {
			for _, value := range dimension.values {
				next := call{md: begun.md.Copy(), grants: begun.grants}
				next.md[dimension.header.GetName()] = []string{value}
				longer = append(longer, next)
			}
		}
		calls = longer
	}
	return calls
}
