package rules

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
)

// Rule is a method's rule in the form in which both ends use it. It is immutable.
type Rule struct {
	FullMethod string

	service *Service // identifies the values that a check passes on
	stated  *Method
	headers []header
	anyOf   [][]header
	others  []string // the keys that only alternatives name, each once
	denial  Denial
	shadows bool // some method of the service passes values on, which must not outlive their call
}

// header is a Header in the form in which it is checked.
//
// What is read for every header stands first, on one line of a processor's cache.
type header struct {
	Slot

	literals []string // one for `equals`, all for `in`
	optional bool
	typ      Type // of a Verified value, and of a `present` one; 0 for `in` and all others
	scopes   []string
	other    int // in an alternative: the position of the key among the rule's others

	// Set in an Evaluator:
	verifier *Verifier // for the kinds that are verified
	denied   *outcome  // of a call that this header's own check refuses
}

// verified is true for the kinds about which the application decides.
func (h *header) verified() bool { return h.Kind >= Bearer }

// scheme is what the value begins with, "" for a bare value.
func (h *header) scheme() string {
	switch h.Kind {
	case Bearer:
		return "Bearer"
	case Basic:
		return "Basic"
	default:
		return h.Scheme
	}
}

// Compile returns the rules of a service in the order of its methods. The error names the method whose
// entry could not be enforced; generated code does not cause one.
func Compile(service *Service) ([]*Rule, error) {
	if service.Name == "" || strings.Contains(service.Name, "/") {
		return nil, fmt.Errorf("service name %q is not a full name", service.Name)
	}
	compiled := make([]*Rule, 0, len(service.Methods))
	seen := make(map[string]bool, len(service.Methods))
	shadows := false
	for i := range service.Methods {
		method := &service.Methods[i]
		rule, err := compileMethod(service, method)
		if err != nil {
			return nil, fmt.Errorf("method %q: %w", method.FullMethod, err)
		}
		if seen[rule.FullMethod] {
			return nil, fmt.Errorf("method %q is listed twice", rule.FullMethod)
		}
		seen[rule.FullMethod] = true
		shadows = shadows || rule.keeps()
		compiled = append(compiled, rule)
	}
	for _, rule := range compiled {
		rule.shadows = shadows
	}
	return compiled, nil
}

func compileMethod(service *Service, method *Method) (*Rule, error) {
	name, ok := strings.CutPrefix(method.FullMethod, "/"+service.Name+"/")
	if !ok || name == "" || strings.Contains(name, "/") {
		return nil, fmt.Errorf("is no method of service %q", service.Name)
	}
	denial := method.Denial
	if denial == (Denial{}) {
		denial = service.Denial
	}
	if err := checkAccess(method, denial); err != nil {
		return nil, err
	}
	rule := &Rule{FullMethod: method.FullMethod, denial: denial, service: service, stated: method}
	names := map[string]bool{}
	var err error
	if rule.headers, err = compileHeaders(method.Headers, names); err != nil {
		return nil, err
	}
	for i, stated := range method.AnyOf {
		alternative, err := compileAlternative(stated, names)
		if err != nil {
			return nil, fmt.Errorf("alternative %d: %w", i, err)
		}
		rule.anyOf = append(rule.anyOf, alternative)
	}
	rule.placeOthers()
	return rule, nil
}

// checkAccess refuses an entry that is open without saying so, or that says more than one thing.
func checkAccess(method *Method, denial Denial) error {
	requires := len(method.AnyOf) > 0 ||
		slices.ContainsFunc(method.Headers, func(stated Header) bool { return !stated.Optional })
	stated := 0
	for _, set := range []bool{method.Public, method.GuardedBy != "", requires} {
		if set {
			stated++
		}
	}
	switch {
	case stated != 1:
		return fmt.Errorf("exactly one of Public, GuardedBy and a requirement must be set, not %d", stated)
	case method.GuardedBy != "" && len(method.Headers) > 0:
		return errors.New("nothing is checked beside GuardedBy, but Headers are set")
	case denial.Code == codes.OK && (requires || len(method.Headers) > 0):
		return errors.New("a denial must not have the code OK")
	}
	return nil
}

// compileHeaders also refuses a key that names holds already: two checks of one key on one path.
func compileHeaders(stated []Header, names map[string]bool) ([]header, error) {
	var compiled []header
	for i := range stated {
		one, err := compileHeader(&stated[i])
		if err != nil {
			return nil, fmt.Errorf("header %q: %w", stated[i].Name, err)
		}
		if names[one.Header] {
			return nil, fmt.Errorf("header %q is required twice", one.Header)
		}
		names[one.Header] = true
		compiled = append(compiled, one)
	}
	return compiled, nil
}

func compileAlternative(stated []Header, outer map[string]bool) ([]header, error) {
	if len(stated) == 0 {
		return nil, errors.New("must require something: an empty one would let every call pass")
	}
	compiled, err := compileHeaders(stated, maps.Clone(outer))
	if err != nil {
		return nil, err
	}
	for i := range compiled {
		if compiled[i].optional {
			return nil, fmt.Errorf("header %q: must not be optional", compiled[i].Header)
		}
	}
	return compiled, nil
}

// placeOthers lists the keys of all alternatives, so that each is read once for a call.
func (r *Rule) placeOthers() {
	for _, alternative := range r.anyOf {
		for i := range alternative {
			h := &alternative[i]
			if h.other = slices.Index(r.others, h.Header); h.other < 0 {
				h.other = len(r.others)
				r.others = append(r.others, h.Header)
			}
		}
	}
}

// like is true if the rule asks for the same as another one of its service, and refuses in the same words.
func (r *Rule) like(other *Rule) bool {
	stated := *other.stated
	stated.FullMethod = r.FullMethod
	return r.service == other.service && reflect.DeepEqual(stated, *r.stated)
}

// keeps is true if a check can pass values on.
func (r *Rule) keeps() bool {
	for _, list := range append([][]header{r.headers}, r.anyOf...) {
		if slices.ContainsFunc(list, func(h header) bool { return h.Kind == Value }) {
			return true
		}
	}
	return false
}

func compileHeader(stated *Header) (header, error) {
	if stated.Name == "" || stated.Name != strings.ToLower(stated.Name) {
		return header{}, errors.New("the name must be in lower case")
	}
	compiled := header{Slot: Slot{Header: stated.Name}, optional: stated.Optional, scopes: stated.Scopes}
	checks := 0
	is := func(kind Kind, set bool) {
		if set {
			checks++
			compiled.Kind = kind
		}
	}
	is(Literal, stated.Equals != "")
	is(Value, len(stated.In) > 0)
	is(Value, stated.Present != 0)
	is(Bearer, stated.Bearer)
	is(Basic, stated.Basic)
	is(Verified, stated.Verify != 0)
	compiled.typ = stated.Present | stated.Verify // one of them is 0, or checks is not 1
	switch {
	case checks != 1:
		return header{}, fmt.Errorf("exactly one check must be set, not %d", checks)
	case compiled.typ > Bytes:
		return header{}, fmt.Errorf("unknown type %d", compiled.typ)
	case stated.Scheme != "" && compiled.Kind != Verified:
		return header{}, errors.New("a scheme only goes with Verify")
	case len(stated.Scopes) > 0 && compiled.Kind != Bearer && compiled.Kind != Verified:
		return header{}, errors.New("scopes only go with Bearer and Verify")
	}
	compiled.Scheme = stated.Scheme
	if stated.Equals != "" {
		compiled.literals = []string{stated.Equals}
	}
	for _, literal := range stated.In {
		if literal == "" {
			return header{}, errors.New("a literal must not be empty")
		}
		compiled.literals = append(compiled.literals, literal)
	}
	return compiled, nil
}
