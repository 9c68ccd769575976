package implies

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// draw makes random rules from few names, literals and scopes, so that two rules often speak of the same.
type draw struct{ *rand.Rand }

func newDraw(seed uint64) draw { return draw{rand.New(rand.NewPCG(seed, 0))} }

func (d draw) chance(percent int) bool { return d.IntN(100) < percent }

func pick[T any](d draw, from ...T) T { return from[d.IntN(len(from))] }

var (
	names  = []string{"authorization", "x-a", "x-b", "x-c", "x-d", "y-bin"}
	scopes = []string{"r", "w", "x"}
	// What is a literal here may be of a type, or have the shape of a credential.
	literals = []string{
		"1", "2", "-1", "07", "true", "false", "18446744073709551615", "9223372036854775808", "word",
		"Bearer t", "bearer t", "Basic dTpw", "A true", "a true", "A false", "a false", "A 1",
	}
	schemes = []string{"A", "a", "DPoP"}
	types   = []grpcauthv1.Type{
		grpcauthv1.Type_TYPE_STRING, grpcauthv1.Type_TYPE_INT64, grpcauthv1.Type_TYPE_UINT64, grpcauthv1.Type_TYPE_BOOL,
	}
)

func isBinary(name string) bool { return strings.HasSuffix(name, "-bin") }

// some are up to so many elements of a list, in any order.
func some(d draw, from []string, most int) []string {
	shuffled := slices.Clone(from)
	d.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	return shuffled[:d.IntN(most+1)]
}

func (d draw) header(name string) *grpcauthv1.Header {
	made := &grpcauthv1.Header{Name: name}
	d.check(made)
	return made
}

// check gives the header any check that its name allows.
func (d draw) check(h *grpcauthv1.Header) {
	h.Type = grpcauthv1.Type_TYPE_UNSPECIFIED
	ways := 6
	if isBinary(h.GetName()) {
		ways = 2
	}
	if ways > 2 && d.chance(60) {
		h.Type = pick(d, types...)
	}
	switch d.IntN(ways) {
	case 0:
		h.Check = &grpcauthv1.Header_Present{Present: &grpcauthv1.Present{}}
	case 1:
		verify := &grpcauthv1.Verify{Scopes: some(d, scopes, 2)}
		if !isBinary(h.GetName()) && d.chance(50) {
			verify.Scheme = pick(d, schemes...)
		}
		h.Check = &grpcauthv1.Header_Verify{Verify: verify}
	case 2:
		h.Type, h.Check = 0, &grpcauthv1.Header_Equals{Equals: pick(d, literals...)}
	case 3:
		values := append(some(d, literals, 4), pick(d, literals...))
		slices.Sort(values)
		h.Type, h.Check = 0, &grpcauthv1.Header_In{In: &grpcauthv1.Values{Values: slices.Compact(values)}}
	case 4:
		h.Type, h.Check = 0, &grpcauthv1.Header_Bearer{Bearer: &grpcauthv1.Bearer{Scopes: some(d, scopes, 2)}}
	case 5:
		h.Type, h.Check = 0, &grpcauthv1.Header_Basic{Basic: &grpcauthv1.Basic{}}
	}
}

func (d draw) rule() *grpcauthv1.Rule {
	shuffled := some(d, names, 0)[:len(names)]
	made := &grpcauthv1.Rule{}
	switch d.IntN(20) {
	case 0:
		made.GuardedBy = "a proxy"
		return made
	case 1, 2:
		made.Public = true
		for _, name := range shuffled[:d.IntN(3)] {
			header := d.header(name)
			header.Optional = true
			made.Headers = append(made.Headers, header)
		}
		return made
	}
	own := d.IntN(4)
	for _, name := range shuffled[:own] {
		header := d.header(name)
		header.Optional = d.chance(25)
		made.Headers = append(made.Headers, header)
	}
	if own == 0 || d.chance(60) {
		for range 1 + d.IntN(4) {
			made.AnyOf = append(made.AnyOf, d.alternative(shuffled[own:]))
		}
	}
	return made
}

func (d draw) alternative(free []string) *grpcauthv1.Alternative {
	made := &grpcauthv1.Alternative{}
	for _, name := range some(d, free, min(2, len(free)-1)) {
		made.Headers = append(made.Headers, d.header(name))
	}
	if len(made.GetHeaders()) == 0 {
		made.Headers = append(made.Headers, d.header(pick(d, free...)))
	}
	return made
}

// resolve is the rule of a method. It is nil, false for a rule that would not generate.
func resolve(t *testing.T, rule *grpcauthv1.Rule) (*policy.Method, bool) {
	t.Helper()
	options := &descriptorpb.MethodOptions{}
	proto.SetExtension(options, grpcauthv1.E_Method, rule)
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("a.proto"), Package: new("a.v1"), Syntax: new("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: new("M")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: new("A"),
			Method: []*descriptorpb.MethodDescriptorProto{{
				Name: new("Get"), InputType: new(".a.v1.M"), OutputType: new(".a.v1.M"), Options: options,
			}},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	services, findings := policy.Resolve(file, false)
	if len(findings) > 0 {
		return nil, false
	}
	method := services[0].Methods[0]
	return method, oneTypeEach(method)
}

// oneTypeEach is true if each verifier of the rule has one type: the generator refuses others. It refuses more, about
// which the runtime does not care.
func oneTypeEach(method *policy.Method) bool {
	known := map[slot]slot{}
	for header := range method.All() {
		if !verified(header) {
			continue
		}
		typed := slotOf(header)
		untyped := typed
		untyped.typ = 0
		if first, ok := known[untyped]; ok && first != typed {
			return false
		}
		known[untyped] = typed
	}
	return true
}

// valid draws until a rule generates.
func (d draw) valid(t *testing.T, rule func() *grpcauthv1.Rule) (*grpcauthv1.Rule, *policy.Method) {
	t.Helper()
	for range 1000 {
		drawn := rule()
		if method, ok := resolve(t, drawn); ok {
			return drawn, method
		}
	}
	t.Fatal("no valid rule in 1000")
	return nil, nil
}
