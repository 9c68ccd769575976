// Package schema makes random schemas that use the whole option language. What each of their methods demands
// is worked out here as well, naively, beside what package policy makes of the text.
package schema

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

// File is a random schema.
type File struct {
	seed     uint64
	rule     *rule
	services []service
}

type service struct {
	name    string
	rule    *rule
	methods []method
}

type method struct {
	name             string
	clients, servers bool
	rule             *rule
}

// rule is what one level says.
type rule struct {
	public    bool
	replace   bool
	guardedBy string
	headers   []plan.Header
	anyOf     [][]plan.Header
	code      codes.Code
	message   string
}

// state is what the levels so far add up to.
type state struct {
	access    plan.Access // "" where nothing is said
	guardedBy string
	headers   []plan.Header
	anyOf     [][]plan.Header
	code      codes.Code
	message   string
}

// Random makes the schema of a seed. Nearly all of them are valid: a denial may stand where nobody is refused.
func Random(seed uint64) *File {
	w := &writer{Rand: rand.New(rand.NewPCG(seed, 0))} //nolint:gosec // tests repeat
	w.pool = w.newPool()
	file := &File{seed: seed}
	outer := state{}
	if w.chance(half) {
		file.rule = w.rule(outer)
		outer = outer.with(file.rule)
	}
	kind := w.IntN(kinds)
	names := []string{"Alpha", "Be_ta", "gamma2"} // Go spells them Alpha, BeTa... as protoc-gen-go does
	for _, name := range names[:1+w.IntN(len(names))] {
		made := w.service(name, outer, &kind)
		file.services = append(file.services, made)
	}
	return file
}

const kinds = 4 // of methods

func (w *writer) service(name string, outer state, kind *int) service {
	made := service{name: name}
	if w.chance(half) {
		made.rule = w.rule(outer)
		outer = outer.with(made.rule)
	}
	const mostMethods, unruled = 4, 0.1
	declared := outer.access != "" || made.rule != nil || !w.chance(unruled)
	for i := range 1 + w.IntN(mostMethods) {
		next := method{name: fmt.Sprintf("Call%d", i), clients: *kind&1 != 0, servers: *kind&2 != 0}
		*kind = (*kind + 1) % kinds
		switch {
		case declared && outer.access == "":
			next.rule = w.requirement(outer)
		case declared && w.chance(half):
			next.rule = w.rule(outer)
		}
		made.methods = append(made.methods, next)
	}
	return made
}

// with is the sum of the levels so far and one further in.
func (s state) with(own *rule) state {
	if own == nil {
		return s
	}
	switch {
	case own.public:
		s.access, s.guardedBy, s.headers, s.anyOf = plan.Public, "", own.headers, nil
	case own.guardedBy != "":
		s.access, s.guardedBy, s.headers, s.anyOf = plan.Guarded, own.guardedBy, nil, nil
	case own.replace:
		s.access, s.guardedBy, s.headers, s.anyOf = plan.Restricted, "", own.headers, own.anyOf
	case len(own.headers)+len(own.anyOf) > 0:
		s.access, s.guardedBy = plan.Restricted, ""
		s.headers = slices.Concat(s.headers, own.headers)
		s.anyOf = slices.Concat(s.anyOf, own.anyOf)
	}
	if own.code != codes.OK {
		s.code = own.code
	}
	if own.message != "" {
		s.message = own.message
	}
	return s
}

// Plan is what the schema demands.
func (f *File) Plan() *plan.Set {
	set := &plan.Set{Seed: f.seed}
	outer := state{code: codes.Unauthenticated, message: "access denied"}.with(f.rule)
	for _, service := range f.services {
		name := f.Package() + "." + service.name
		planned := plan.Service{Name: name, GoName: plan.GoName(service.name)}
		base := outer.with(service.rule)
		ruled := base.access != ""
		for _, method := range service.methods {
			sum := base.with(method.rule)
			ruled = ruled || sum.access != ""
			planned.Methods = append(planned.Methods, plan.Method{
				Name: "/" + name + "/" + method.name, ClientStreams: method.clients, ServerStreams: method.servers,
				Access: sum.access, GuardedBy: sum.guardedBy, Headers: sum.headers, AnyOf: sum.anyOf,
				Code: sum.code, Message: sum.message,
			})
		}
		if ruled {
			set.Services = append(set.Services, planned)
		} else {
			set.Unruled = append(set.Unruled, planned)
		}
	}
	return set
}
