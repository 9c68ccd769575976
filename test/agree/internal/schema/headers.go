package schema

import (
	"slices"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

const authorization = "authorization"

// identity is a header's name with the ways in which the schema uses it. Within a service, a slot has one type,
// and no two slots have the same Go name; here that holds in the whole schema.
type identity struct {
	name string
	ways []plan.Header
}

func (w *writer) newPool() []identity {
	names := []string{authorization, "x-api-key", "trace.id", "x-sig-bin", "x"}
	const more, own = 6, 3
	for range more {
		name := w.name()
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	w.Shuffle(len(names)-1, func(i, j int) { names[1+i], names[1+j] = names[1+j], names[1+i] })
	// A path of levels takes up to a dozen names; a small pool makes methods and alternatives share them.
	const enough = 16
	for len(names) < enough {
		if name := "h-" + w.name(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	var pool []identity
	fields := map[string]bool{}
	for _, name := range names {
		made := identity{name: name}
		for _, way := range w.ways(name) {
			field := way.Slot().Field()
			if way.Check == plan.In { // shares the slot of Present
				made.ways = append(made.ways, way)
				continue
			}
			if way.Check != plan.Equals && fields[field] {
				continue
			}
			fields[field] = way.Check != plan.Equals || fields[field]
			made.ways = append(made.ways, way)
		}
		if len(made.ways) > 0 {
			pool = append(pool, made)
		}
	}
	return pool
}

// name is a random metadata key that no transport reserves.
func (w *writer) name() string {
	const most, binary = 8, 0.2
	const first, all = "abdfijklmnoqrsvwxyz", "abdfijklmnoqrsvwxyz0123456789_.-"
	var name strings.Builder
	name.WriteByte(first[w.IntN(len(first))])
	for range w.IntN(most) {
		name.WriteByte(all[w.IntN(len(all))])
	}
	if w.chance(binary) {
		name.WriteString("-bin")
	}
	return name.String()
}

// ways are how a header of the name is used: what may have a bare value either is read by handlers, or is
// verified, and schemes stand beside both.
func (w *writer) ways(name string) []plan.Header {
	types := []plan.Type{plan.String, plan.Int64, plan.Uint64, plan.Bool}
	typ := types[w.IntN(len(types))]
	if strings.HasSuffix(name, "-bin") {
		check := []plan.Check{plan.Present, plan.Verify}[w.IntN(2)] //nolint:mnd // both
		return []plan.Header{{Name: name, Check: check, Type: plan.Bytes}}
	}
	ways := []plan.Header{{Name: name, Check: plan.Equals, Type: plan.String}}
	switch {
	case name == authorization:
	case w.chance(half):
		ways = append(ways, plan.Header{Name: name, Check: plan.Verify, Type: typ})
	default:
		ways = append(ways, plan.Header{Name: name, Check: plan.Present, Type: typ})
		if typ == plan.String {
			ways = append(ways, plan.Header{Name: name, Check: plan.In, Type: plan.String})
		}
	}
	const schemes = 0.25
	if name == authorization || w.chance(schemes) {
		scheme := []string{"DPoP", "HMAC-SHA256", "aws4", "x"}[w.IntN(4)] //nolint:mnd // all
		ways = append(ways,
			plan.Header{Name: name, Check: plan.Bearer, Type: plan.String},
			plan.Header{Name: name, Check: plan.Basic, Type: plan.String},
			plan.Header{Name: name, Check: plan.Verify, Type: typ, Scheme: scheme})
	}
	return ways
}

// header uses an identity in one of its ways.
func (w *writer) header(i identity) plan.Header {
	header := i.ways[w.IntN(len(i.ways))]
	if header.Check == plan.Equals { // every name knows it: half as often
		header = i.ways[w.IntN(len(i.ways))]
	}
	switch header.Check {
	case plan.Equals:
		header.Literals = []string{w.literal()}
	case plan.In:
		const most = 4
		for range 1 + w.IntN(most) {
			header.Literals = append(header.Literals, w.literal())
		}
		slices.Sort(header.Literals)
		header.Literals = slices.Compact(header.Literals)
	case plan.Bearer, plan.Verify:
		if w.chance(half) {
			all := []string{"greet.write", "a:b", "https://example.com/x", "ADMIN", "*/"}
			w.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			header.Scopes = all[:1+w.IntN(3)] //nolint:mnd // up to three
		}
	case plan.Basic, plan.Present:
	}
	return header
}

// literal is printable ASCII without spaces at its edges.
func (w *writer) literal() string {
	const most, printable = 8, '~' - ' ' + 1
	text := make([]byte, 1+w.IntN(most))
	for i := range text {
		text[i] = byte(' ' + w.IntN(printable)) //nolint:gosec // printable
	}
	return "l" + string(text) + "l"
}
