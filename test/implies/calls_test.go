package implies

import (
	"slices"

	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// caller draws calls to methods that it knows.
type caller struct {
	draw

	methods []*policy.Method // nil for one without rules
	keys    []string
	slots   []slot
	scopes  []string
}

func newCaller(d draw, methods ...*policy.Method) *caller {
	c := &caller{draw: d, methods: methods, scopes: scopes}
	for _, method := range methods {
		if method == nil {
			continue
		}
		for header := range method.All() {
			if !slices.Contains(c.keys, header.Name) {
				c.keys = append(c.keys, header.Name)
			}
			if at := slotOf(header); verified(header) && !slices.Contains(c.slots, at) {
				c.slots = append(c.slots, at)
			}
		}
	}
	return c
}

// call draws one that is likely to be admitted by the method: most keys are as one of its paths wants them, with
// no more than it asks for. The others are as they are.
func (c *caller) call(method *policy.Method) call {
	made := call{md: metadata.MD{}, grants: map[slot][]string{}}
	for _, key := range c.keys {
		if c.chance(20) {
			c.arrive(&made, key)
		}
	}
	for _, at := range c.slots {
		if c.chance(20) {
			made.grants[at] = some(c.draw, c.scopes, len(c.scopes))
		}
	}
	if method == nil {
		return made
	}
	path := slices.Clone(method.Headers)
	if len(method.AnyOf) > 0 {
		path = append(path, pick(c.draw, method.AnyOf...).Headers...)
	}
	for _, header := range path {
		if header.Optional && c.chance(50) || c.chance(1) {
			continue
		}
		made.md[header.Name] = []string{pick(c.draw, right(header)...)}
		if verified(header) && !c.chance(1) {
			made.grants[slotOf(header)] = header.Scopes
		}
	}
	return made
}

// arrive lets a key arrive in some way, right for no rule or for one.
func (c *caller) arrive(made *call, key string) {
	one := func() string {
		if method := pick(c.draw, c.methods...); method != nil {
			for header := range method.All() {
				if header.Name == key && c.chance(50) {
					return pick(c.draw, right(header)...)
				}
			}
		}
		return pick(c.draw, literals...)
	}
	switch c.IntN(20) {
	case 0:
		made.md[key] = []string{one(), one()}
	case 1:
		made.md[key] = []string{""}
	default:
		made.md[key] = []string{one()}
	}
}

// right are values that a header lets pass, apart from what its verifier says.
func right(h *policy.Header) []string {
	switch h.Check {
	case policy.Equals, policy.In:
		return h.Literals
	case policy.Bearer:
		return []string{"Bearer t", "bearer other"}
	case policy.Basic:
		return []string{"Basic dTpw", "basic YTpi"}
	case policy.Present, policy.Verify:
	}
	values := map[grpcauthv1.Type][]string{
		grpcauthv1.Type_TYPE_STRING: literals,
		grpcauthv1.Type_TYPE_BYTES:  {"\x00\xff", "1"},
		grpcauthv1.Type_TYPE_INT64:  {"1", "2", "-1", "77", "-9223372036854775808"},
		grpcauthv1.Type_TYPE_UINT64: {"1", "2", "77", "9223372036854775808", "18446744073709551615"},
		grpcauthv1.Type_TYPE_BOOL:   {"true", "false"},
	}[h.Type]
	if h.Scheme == "" {
		return values
	}
	var after []string
	for _, value := range values {
		after = append(after, h.Scheme+" "+value, swapCase(h.Scheme)+" "+value)
	}
	return after
}

func swapCase(scheme string) string {
	swapped := []byte(scheme)
	for i := range swapped {
		swapped[i] ^= 0x20
	}
	return string(swapped)
}
