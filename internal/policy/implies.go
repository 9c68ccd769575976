package policy

// Implies reports whether every call that satisfies a also satisfies b: whether nobody gets in by a who would
// not get in by b. A rule a that replaces b is no weaker than b if Implies(a, b), and no stricter if
// Implies(b, a). Denials are no part of it.
//
// A nil method is one of a service without rules: anyone may call it, as where the rule is public or guarded_by.
//
// The answer is exact for the rules that Resolve returns without findings, under two assumptions. What an
// application's verifier says depends on the header's name, check, scheme (without regard to case), type and
// value alone, and is the same for both rules; nothing else is known about it. And the server's MaxValueBytes
// lets the literals of both rules pass. So exact is it that a header which b alone names makes b stricter, even an
// optional one or one in a further alternative: b refuses a call in which it arrives twice.
//
// Whether some choice of values makes all alternatives fail is a search, which the caps on a rule's headers and
// on a list's values keep small: it takes microseconds, and about a second for rules that are made to be hard.
func Implies(a, b *Method) bool { return Counterexample(a, b) == nil }

// Call is a call that one rule admits and another one refuses.
type Call struct {
	// Metadata holds the values of each key. They may be literals of a rule: they do not belong in messages.
	Metadata map[string][]string

	// Verified are the headers whose verifiers accept the call's value, each granting exactly the header's
	// scopes. All other verifiers refuse.
	Verified []*Header
}

// Counterexample returns a call that satisfies a and does not satisfy b, or nil if there is none. Equal rules
// give equal calls.
func Counterexample(a, b *Method) *Call {
	if !refuses(b) {
		return nil
	}
	trunk, paths := pathsOf(a)
	for header := range b.All() {
		if !trunk.named[header.Name] {
			return paths[0].callWithTwo(header)
		}
	}
	for _, path := range paths {
		if call := path.failOne(b.Headers); call != nil {
			return call
		}
	}
	if len(b.AnyOf) == 0 || len(paths) > 1 && trunk.failAll(b.AnyOf) == nil {
		return nil // what no call can do that takes some path, none can that takes a certain one
	}
	for _, path := range paths {
		if call := path.failAll(b.AnyOf); call != nil {
			return call
		}
	}
	return nil
}

func refuses(m *Method) bool { return m != nil && m.Refuses() }
