package policy_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// resolved is the rule of a method, nil for "".
func resolved(tb testing.TB, ofFile, ofService, ofMethod string) *policy.Method {
	tb.Helper()
	services, findings := policy.Resolve(levels(tb, ofFile, ofService, ofMethod), false)
	if len(findings) > 0 {
		tb.Fatalf("%s / %s / %s: %v", ofFile, ofService, ofMethod, findings)
	}
	if len(services) == 0 {
		return nil
	}
	return services[0].Methods[0]
}

func of(tb testing.TB, rule string) *policy.Method {
	tb.Helper()
	return resolved(tb, "", "", rule)
}

// Each way to weaken a rule: strict implies weak, and not the other way round.
func TestImpliesSeesWhatWeakens(t *testing.T) {
	t.Parallel()
	const (
		a      = `headers: {name: "x-a" equals: "1"}`
		b      = `headers: {name: "x-b" present: {}}`
		bearer = `any_of: {headers: {name: "authorization" bearer: {scopes: "r" scopes: "w"}}}`
		key    = `any_of: {headers: {name: "x-key" verify: {}}}`
		named  = `headers: {name: "x-key" present: {} optional: true}`
	)
	for name, rules := range map[string]struct{ strict, weak string }{
		"rule dropped":          {a, ""},
		"optional rule dropped": {`public: true headers: {name: "x-a" bearer: {} optional: true}`, ""},
		"public":                {a, `public: true`},
		"guarded_by":            {a, `guarded_by: "a proxy"`},
		"only for the known":    {`headers: {name: "x-a" bearer: {}}`, `public: true headers: {name: "x-a" bearer: {} optional: true}`},

		"header dropped":          {a + b, a},
		"the other one dropped":   {a + b, b},
		"optional header dropped": {a + named, a},
		"optional":                {a + b, a + `headers: {name: "x-b" present: {} optional: true}`},
		"any_of dropped":          {a + bearer + key, a},
		"headers dropped":         {a + bearer + key, bearer + key},

		"alternative added":        {named + bearer, bearer + key},
		"alternative added to two": {`headers: {name: "x-c" present: {} optional: true}` + bearer + key, bearer + key + `any_of: {headers: {name: "x-c" present: {}}}`},
		"all but one way dropped": {
			`headers: {name: "x-a" equals: "1"} headers: {name: "x-b" present: {} optional: true}`,
			`any_of: {headers: {name: "x-a" equals: "1"}} any_of: {headers: {name: "x-b" present: {}}}`,
		},
		"a known key that is wrong": {
			`headers: {name: "x-a" equals: "1" optional: true} headers: {name: "x-b" present: {}}`,
			`any_of: {headers: {name: "x-b" present: {}}} any_of: {headers: {name: "x-a" present: {}} headers: {name: "x-b" present: {}}}`,
		},
		"header made an alternative":          {`headers: {name: "x-a" equals: "1"} headers: {name: "x-key" verify: {} optional: true}`, `any_of: {headers: {name: "x-a" equals: "1"}}` + key},
		"two headers made two alternatives":   {a + b, `any_of: {headers: {name: "x-a" equals: "1"}} any_of: {headers: {name: "x-b" present: {}}}`},
		"alternative dropped from one of two": {`any_of: {headers: {name: "x-a" verify: {}} headers: {name: "x-b" verify: {}}} any_of: {headers: {name: "x-c" verify: {}}}`, `any_of: {headers: {name: "x-a" verify: {}}} any_of: {headers: {name: "x-c" verify: {}}}`},

		"equals to present":       {a, `headers: {name: "x-a" present: {}}`},
		"equals to its type":      {a, `headers: {name: "x-a" present: {} type: TYPE_INT64}`},
		"equals to in":            {a, `headers: {name: "x-a" in: {values: "2" values: "1"}}`},
		"value added to in":       {`headers: {name: "x-a" in: {values: "1" values: "2"}}`, `headers: {name: "x-a" in: {values: "2" values: "3" values: "1"}}`},
		"in to its type":          {`headers: {name: "x-a" in: {values: "1" values: "2"}}`, `headers: {name: "x-a" present: {} type: TYPE_INT64}`},
		"in to the other type":    {`headers: {name: "x-a" in: {values: "0" values: "18446744073709551615"}}`, `headers: {name: "x-a" present: {} type: TYPE_UINT64}`},
		"one bool to both":        {`headers: {name: "x-a" equals: "true"}`, `headers: {name: "x-a" present: {} type: TYPE_BOOL}`},
		"type dropped":            {`headers: {name: "x-a" present: {} type: TYPE_INT64}`, `headers: {name: "x-a" present: {}}`},
		"bearer to present":       {`headers: {name: "x-a" bearer: {}}`, `headers: {name: "x-a" present: {}}`},
		"basic to present":        {`headers: {name: "x-a" basic: {}}`, `headers: {name: "x-a" present: {}}`},
		"verify to present":       {`headers: {name: "x-a" verify: {}}`, `headers: {name: "x-a" present: {}}`},
		"typed verify to present": {`headers: {name: "x-a" verify: {} type: TYPE_UINT64}`, `headers: {name: "x-a" present: {} type: TYPE_UINT64}`},
		"bytes":                   {`headers: {name: "x-bin" verify: {}}`, `headers: {name: "x-bin" present: {}}`},
		"scheme to present":       {`headers: {name: "x-a" verify: {scheme: "DPoP"}}`, `headers: {name: "x-a" present: {}}`},

		"scope dropped":           {`headers: {name: "x-a" bearer: {scopes: "r" scopes: "w"}}`, `headers: {name: "x-a" bearer: {scopes: "w"}}`},
		"last scope dropped":      {`headers: {name: "x-a" verify: {scopes: "r"}}`, `headers: {name: "x-a" verify: {}}`},
		"alternative's scope":     {bearer + key, `any_of: {headers: {name: "authorization" bearer: {scopes: "r"}}}` + key},
		"an alternative's subset": {bearer + key, bearer + key + `any_of: {headers: {name: "authorization" bearer: {scopes: "r"}}}`},
	} {
		strict, weak := of(t, rules.strict), of(t, rules.weak)
		if !policy.Implies(strict, weak) {
			t.Errorf("%s: %q does not imply %q: %v", name, rules.strict, rules.weak, policy.Counterexample(strict, weak))
		}
		if policy.Implies(weak, strict) {
			t.Errorf("%s: %q implies %q", name, rules.weak, rules.strict)
		}
	}
}

// Rules of which neither implies the other.
func TestImpliesTellsUnrelatedRulesApart(t *testing.T) {
	t.Parallel()
	const key = `any_of: {headers: {name: "x-key" verify: {}}}`
	for name, rules := range map[string][2]string{
		"another key":     {`headers: {name: "x-a" equals: "1"}`, `headers: {name: "x-b" equals: "1"}`},
		"another literal": {`headers: {name: "x-a" equals: "1"}`, `headers: {name: "x-a" equals: "2"}`},
		"another list": {
			`headers: {name: "x-a" in: {values: "1" values: "2"}}`, `headers: {name: "x-a" in: {values: "3" values: "2"}}`,
		},
		"a literal is not a type":   {`headers: {name: "x-a" equals: "07"}`, `headers: {name: "x-a" present: {} type: TYPE_INT64}`},
		"one of the list is not":    {`headers: {name: "x-a" in: {values: "1" values: "-1"}}`, `headers: {name: "x-a" present: {} type: TYPE_UINT64}`},
		"too large for the type":    {`headers: {name: "x-a" equals: "9223372036854775808"}`, `headers: {name: "x-a" present: {} type: TYPE_INT64}`},
		"numbers with and without":  {`headers: {name: "x-a" present: {} type: TYPE_INT64}`, `headers: {name: "x-a" present: {} type: TYPE_UINT64}`},
		"number and bool":           {`headers: {name: "x-a" present: {} type: TYPE_INT64}`, `headers: {name: "x-a" present: {} type: TYPE_BOOL}`},
		"a token is a secret":       {`headers: {name: "x-a" equals: "Bearer t"}`, `headers: {name: "x-a" bearer: {}}`},
		"a password, too":           {`headers: {name: "x-a" equals: "Basic dTpw"}`, `headers: {name: "x-a" basic: {}}`},
		"a verified value is":       {`headers: {name: "x-a" equals: "1"}`, `headers: {name: "x-a" verify: {}}`},
		"present is not verified":   {`headers: {name: "x-a" present: {} type: TYPE_INT64}`, `headers: {name: "x-a" verify: {}}`},
		"bearer and basic":          {`headers: {name: "x-a" bearer: {}}`, `headers: {name: "x-a" basic: {}}`},
		"bearer and verify":         {`headers: {name: "x-a" bearer: {}}`, `headers: {name: "x-a" verify: {}}`},
		"verified types":            {`headers: {name: "x-a" verify: {} type: TYPE_INT64}`, `headers: {name: "x-a" verify: {}}`},
		"with a scheme and without": {`headers: {name: "x-a" verify: {scheme: "DPoP"}}`, `headers: {name: "x-a" verify: {}}`},
		"two schemes":               {`headers: {name: "x-a" verify: {scheme: "DPoP"}}`, `headers: {name: "x-a" verify: {scheme: "Hawk"}}`},
		"a scheme is not a number":  {`headers: {name: "x-a" verify: {scheme: "DPoP"} type: TYPE_INT64}`, `headers: {name: "x-a" present: {} type: TYPE_INT64}`},
		"two scopes":                {`headers: {name: "x-a" bearer: {scopes: "r"}}`, `headers: {name: "x-a" bearer: {scopes: "w"}}`},
		"canonical":                 {`headers: {name: "x-a" equals: "07"}`, `headers: {name: "x-a" present: {} type: TYPE_UINT64}`},
		// What only one rule names must not arrive twice there, and may elsewhere.
		"an optional header that others do not know": {`headers: {name: "x-a" equals: "1"}`, `public: true headers: {name: "x-b" present: {} optional: true}`},
		"an alternative that others do not know":     {`any_of: {headers: {name: "authorization" bearer: {}}}`, `any_of: {headers: {name: "authorization" bearer: {}}}` + key},
		"required and not required": {
			`headers: {name: "x-a" equals: "1"} headers: {name: "x-b" present: {} optional: true}`,
			`headers: {name: "x-b" present: {}} headers: {name: "x-a" equals: "1" optional: true}`,
		},
	} {
		one, other := of(t, rules[0]), of(t, rules[1])
		// An alternative that others do not know lets more pass, and fewer: of those that send its key twice.
		if policy.Implies(one, other) || policy.Implies(other, one) {
			t.Errorf("%s: %q implies %q: %v, the reverse: %v", name, rules[0], rules[1],
				policy.Implies(one, other), policy.Implies(other, one))
		}
	}
}

// The same said in other words, at other levels or in another order.
func TestImpliesKnowsTheSameInOtherWords(t *testing.T) {
	t.Parallel()
	const (
		a    = `headers: {name: "x-a" equals: "1"}`
		b    = `headers: {name: "x-b" present: {}}`
		ways = `any_of: {headers: {name: "x-c" verify: {}} headers: {name: "x-d" present: {}}} any_of: {headers: {name: "x-e" basic: {}}}`
	)
	type levels struct{ file, service, method string }
	for name, said := range map[string]struct{ one, other levels }{
		"nothing":                {levels{}, levels{}},
		"at another level":       {levels{method: a + b}, levels{file: b, service: a}},
		"any_of further out":     {levels{method: a + ways}, levels{file: ways, method: a}},
		"with replace":           {levels{file: b, method: "replace: true " + a}, levels{method: a}},
		"public further out":     {levels{file: "public: true", method: a}, levels{service: a}},
		"public anywhere":        {levels{file: a, method: "public: true"}, levels{file: "public: true"}},
		"open in two ways":       {levels{method: "public: true"}, levels{method: `guarded_by: "a proxy"`}},
		"no rule is open":        {levels{}, levels{method: "public: true"}},
		"another denial":         {levels{method: a}, levels{method: a + `denial: {code: CODE_NOT_FOUND message: "no"}`}},
		"order of headers":       {levels{method: a + b}, levels{method: b + a}},
		"order of alternatives":  {levels{method: ways}, levels{method: `any_of: {headers: {name: "x-e" basic: {}}} any_of: {headers: {name: "x-d" present: {}} headers: {name: "x-c" verify: {}}}`}},
		"order of values":        {levels{method: `headers: {name: "x-a" in: {values: "1" values: "2"}}`}, levels{method: `headers: {name: "x-a" in: {values: "2" values: "1"}}`}},
		"order of scopes":        {levels{method: `headers: {name: "x-a" bearer: {scopes: "r" scopes: "w"}}`}, levels{method: `headers: {name: "x-a" bearer: {scopes: "w" scopes: "r"}}`}},
		"case of a scheme":       {levels{method: `headers: {name: "x-a" verify: {scheme: "DPoP"}}`}, levels{method: `headers: {name: "x-a" verify: {scheme: "dpop"}}`}},
		"a list of one":          {levels{method: a}, levels{method: `headers: {name: "x-a" in: {values: "1"}}`}},
		"one alternative":        {levels{method: a + b}, levels{method: a + `any_of: {headers: {name: "x-b" present: {}}}`}},
		"twice the same":         {levels{method: ways}, levels{method: ways + `any_of: {headers: {name: "x-e" basic: {}}}`}},
		"a list cut in two":      {levels{method: `headers: {name: "x-a" in: {values: "1" values: "2" values: "3"}}`}, levels{method: `any_of: {headers: {name: "x-a" in: {values: "1" values: "3"}}} any_of: {headers: {name: "x-a" equals: "2"}}`}},
		"all of a type":          {levels{method: `headers: {name: "x-a" present: {} type: TYPE_BOOL}`}, levels{method: `headers: {name: "x-a" in: {values: "false" values: "true"}}`}},
		"all of a type, in ways": {levels{method: `headers: {name: "x-a" present: {} type: TYPE_BOOL}`}, levels{method: `any_of: {headers: {name: "x-a" equals: "true"}} any_of: {headers: {name: "x-a" equals: "false"}}`}},
		"a way within another":   {levels{method: a + `headers: {name: "x-b" present: {} optional: true}`}, levels{method: `any_of: {headers: {name: "x-a" equals: "1"}} any_of: {headers: {name: "x-a" equals: "1"} headers: {name: "x-b" present: {}}}`}},
		"present is anything":    {levels{method: a + b}, levels{method: a + `any_of: {headers: {name: "x-b" equals: "7"}} any_of: {headers: {name: "x-b" present: {}}}`}},
		"a scope that is implied": {
			levels{method: `any_of: {headers: {name: "x-a" bearer: {scopes: "r"}}}`},
			levels{method: `any_of: {headers: {name: "x-a" bearer: {scopes: "w" scopes: "r"}}} any_of: {headers: {name: "x-a" bearer: {scopes: "r"}}}`},
		},
	} {
		one := resolved(t, said.one.file, said.one.service, said.one.method)
		other := resolved(t, said.other.file, said.other.service, said.other.method)
		if call := policy.Counterexample(one, other); call != nil {
			t.Errorf("%s: the first does not imply the second: %v", name, call)
		}
		if call := policy.Counterexample(other, one); call != nil {
			t.Errorf("%s: the second does not imply the first: %v", name, call)
		}
	}
}

// A verified bool behind a scheme has few spellings: four literals name all of them, three do not.
func TestImpliesTriesEachSpellingOfAScheme(t *testing.T) {
	t.Parallel()
	verified := of(t, `headers: {name: "x-a" verify: {scheme: "A"} type: TYPE_BOOL}`)
	long := of(t, `headers: {name: "x-a" verify: {scheme: "`+strings.Repeat("A-1", 70)+`"} type: TYPE_BOOL}`)
	all := of(t, `headers: {name: "x-a" in: {values: "A true" values: "a true" values: "A false" values: "a false"}}`)
	split := of(t, `
		any_of: {headers: {name: "x-a" in: {values: "a true" values: "A false"}}}
		any_of: {headers: {name: "x-a" in: {values: "A true" values: "a false"}}}`)
	if !policy.Implies(verified, all) || !policy.Implies(verified, split) {
		t.Error("all spellings are there")
	}
	if policy.Implies(long, all) || policy.Implies(all, verified) {
		t.Error("another scheme, or one that nobody has verified")
	}
	for _, missing := range []string{"A true", "a true", "A false", "a false"} {
		var three []string
		for _, value := range []string{"A true", "a true", "A false", "a false"} {
			if value != missing {
				three = append(three, `values: "`+value+`"`)
			}
		}
		call := policy.Counterexample(verified, of(t, `headers: {name: "x-a" in: {`+strings.Join(three, " ")+`}}`))
		if call == nil || !reflect.DeepEqual(call.Metadata, map[string][]string{"x-a": {missing}}) {
			t.Errorf("got %v, want a call with %q", call, missing)
		}
	}
}

// What the fresh values of a counterexample must keep clear of.
func TestImpliesIsNotMisledByLiterals(t *testing.T) {
	t.Parallel()
	for check, literals := range map[string][]string{
		`present: {}`:                            {"w0", "w1", "w3"},
		`present: {} type: TYPE_INT64`:           {"-1", "-2", "0", "1"},
		`present: {} type: TYPE_UINT64`:          {"18446744073709551615", "18446744073709551614", "0"},
		`verify: {}`:                             {"w0"},
		`bearer: {}`:                             {"Bearer w0", "bearer w1"},
		`basic: {}`:                              {"Basic dTp3MA=="},
		`verify: {scheme: "X"}`:                  {"X w0", "x w1"},
		`verify: {scheme: "X"} type: TYPE_INT64`: {"X -1", "X -2"},
	} {
		one := of(t, `headers: {name: "x-a" `+check+`}`)
		var ways strings.Builder
		for _, literal := range literals {
			ways.WriteString(`any_of: {headers: {name: "x-a" equals: "` + literal + `"}}`)
		}
		if policy.Implies(one, of(t, ways.String())) {
			t.Errorf("%s implies that the value is one of %q", check, literals)
		}
	}
}

// Values of several keys are weighed together: each alternative fails with some value, and not all with any.
func TestImpliesWeighsKeysTogether(t *testing.T) {
	t.Parallel()
	one := of(t, `headers: {name: "x-a" in: {values: "1" values: "2"}} headers: {name: "x-b" in: {values: "1" values: "2"}}`)
	cell := func(a, b string) string {
		return `any_of: {headers: {name: "x-a" equals: "` + a + `"} headers: {name: "x-b" equals: "` + b + `"}}`
	}
	all := cell("1", "1") + cell("1", "2") + cell("2", "1") + cell("2", "2")
	if call := policy.Counterexample(one, of(t, all)); call != nil {
		t.Errorf("all cells are there, not so %v", call)
	}
	call := policy.Counterexample(one, of(t, strings.Replace(all, cell("2", "1"), "", 1)))
	if want := map[string][]string{"x-a": {"2"}, "x-b": {"1"}}; call == nil || !reflect.DeepEqual(call.Metadata, want) {
		t.Errorf("got %v, want a call with %v", call, want)
	}
}

// What must not arrive twice by one rule, and may by the other, arrives twice.
func TestCounterexampleRepeatsAKey(t *testing.T) {
	t.Parallel()
	const a = `headers: {name: "x-a" equals: "1"}`
	call := policy.Counterexample(of(t, a), of(t, a+`headers: {name: "x-b" present: {} optional: true}`))
	if call == nil || len(call.Metadata["x-a"]) != 1 || len(call.Metadata["x-b"]) != 2 {
		t.Errorf("got %v, want x-a once and x-b twice", call)
	}
}

// A counterexample says which verifiers accept, and what they grant.
func TestCounterexampleNamesItsVerifiers(t *testing.T) {
	t.Parallel()
	strict := of(t, `
		headers: {name: "x-a" equals: "1"}
		any_of: {headers: {name: "authorization" bearer: {scopes: "r" scopes: "w"}} headers: {name: "x-b" basic: {}}}`)
	weak := of(t, `
		headers: {name: "x-a" in: {values: "1" values: "2"}}
		any_of: {headers: {name: "authorization" bearer: {scopes: "w"}} headers: {name: "x-b" basic: {}}}`)
	call := policy.Counterexample(weak, strict)
	if call == nil || call.Metadata["x-a"][0] != "2" || len(call.Verified) != 2 ||
		call.Verified[0] != weak.AnyOf[0].Headers[0] || call.Verified[1] != weak.AnyOf[0].Headers[1] {
		t.Errorf("got %v, want x-a: 2 with both verifiers", call)
	}
	for range 100 {
		if again := policy.Counterexample(weak, strict); !reflect.DeepEqual(again, call) {
			t.Fatalf("got %v, then %v", call, again)
		}
	}
}

// As many headers, values and alternatives as a rule may have, chosen so that the search has to go far.
func TestImpliesDecidesHardRules(t *testing.T) {
	t.Parallel()
	one, other := hardRules(t, 17, 28)
	if call := policy.Counterexample(one, other); call != nil {
		t.Errorf("got %v", call)
	}
	one, other = hardRules(t, 17, 40)
	if policy.Implies(one, other) {
		t.Error("some values make all alternatives fail")
	}
}

// hardRules is one rule of keys with long lists of values, and a further alternative for each of many callers; and
// another one of 21 alternatives with three of these keys each. With each value of a key, so many percent of the
// alternatives that name it fail, other ones with each.
func hardRules(tb testing.TB, seed uint64, percent int) (one, other *policy.Method) {
	tb.Helper()
	const keys, values, alternatives, each = 9, 62, 21, 3
	random := rand.New(rand.NewPCG(seed, 0))
	var named [keys][]int // the alternatives that name a key
	for alternative := range alternatives {
		for _, key := range random.Perm(keys)[:each] {
			named[key] = append(named[key], alternative)
		}
	}
	var a strings.Builder
	var b [alternatives]strings.Builder
	for key := range keys {
		passes := map[int][]string{}
		var all []string
		for value := range values {
			spelled := fmt.Sprintf(` values: "%d"`, value)
			all = append(all, spelled)
			fail := (len(named[key])*percent + random.IntN(100)) / 100
			for i, at := range random.Perm(len(named[key])) {
				if i >= fail {
					passes[named[key][at]] = append(passes[named[key][at]], spelled)
				}
			}
		}
		list := func(values []string) string {
			return fmt.Sprintf(`headers: {name: "x-%d" in: {%s}} `, key, strings.Join(values, ""))
		}
		a.WriteString(list(all))
		for _, alternative := range named[key] {
			b[alternative].WriteString(list(passes[alternative]))
		}
	}
	for caller := range 64 - keys {
		fmt.Fprintf(&a, `any_of: {headers: {name: "c-%d" verify: {}}} `, caller)
	}
	var ways strings.Builder
	for alternative := range alternatives {
		fmt.Fprintf(&ways, "any_of: {%s} ", b[alternative].String())
	}
	return of(tb, a.String()), of(tb, ways.String())
}

func BenchmarkImplies(b *testing.B) {
	usual := of(b, `
		headers: {name: "x-tenant-id" present: {} type: TYPE_INT64}
		any_of: {headers: {name: "authorization" bearer: {scopes: "greet.write"}}}
		any_of: {headers: {name: "x-api-key" verify: {}}}`)
	hard, other := hardRules(b, 17, 28)
	b.Run("usual", func(b *testing.B) {
		for b.Loop() {
			policy.Implies(usual, usual)
		}
	})
	b.Run("hard", func(b *testing.B) {
		for b.Loop() {
			policy.Implies(hard, other)
		}
	})
}

func TestRequirement(t *testing.T) {
	t.Parallel()
	const (
		tenant = `headers: {name: "x-tenant-id" present: {} type: TYPE_INT64}`
		bearer = `any_of: {headers: {name: "authorization" bearer: {scopes: "a:b" scopes: "(c)"}}}`
		key    = `any_of: {headers: {name: "x-user" present: {}} headers: {name: "x-key" verify: {scheme: "DPoP"} type: TYPE_BOOL}}`
	)
	for rule, want := range map[string]string{
		"":                            "no rule",
		"public: true":                "public",
		`guarded_by: "the \"proxy\""`: `guarded_by "the \"proxy\""`,
		`public: true headers: {name: "x-a" basic: {} optional: true}`: "public, x-a (optional, basic)",
		`headers: {name: "x-a" equals: "hidden"}`:                      "x-a (equals)",
		tenant + `headers: {name: "x-bin" verify: {}}`:                 "x-tenant-id (present, int64), x-bin (verify)",
		`headers: {name: "x-a" in: {values: "hidden" values: "too"}}`:  "x-a (in, 2 values)",
		`headers: {name: "x-a" in: {values: "hidden"}}`:                "x-a (in, 1 value)",
		tenant + bearer: `x-tenant-id (present, int64), authorization (bearer, scopes a:b "(c)")`,
		bearer + key:    `one of authorization (bearer, scopes a:b "(c)") or x-user (present, string) + x-key (verify DPoP, bool)`,
		tenant + bearer + key: `x-tenant-id (present, int64), and one of authorization (bearer, scopes a:b "(c)") ` +
			`or x-user (present, string) + x-key (verify DPoP, bool)`,
	} {
		if got := of(t, rule).Requirement(); got != want {
			t.Errorf("%s: got %s, want %s", rule, got, want)
		}
	}
	if got := (&policy.Method{}).Requirement(); got != "no rule" {
		t.Errorf("got %s for an undeclared method", got)
	}
}
