package policy_test

import (
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// resolved is the rule of a method, nil for "".
func resolved(t *testing.T, ofFile, ofService, ofMethod string) *policy.Method {
	t.Helper()
	services, findings := policy.Resolve(levels(t, ofFile, ofService, ofMethod), false)
	if len(findings) > 0 {
		t.Fatalf("%s / %s / %s: %v", ofFile, ofService, ofMethod, findings)
	}
	if len(services) == 0 {
		return nil
	}
	return services[0].Methods[0]
}

func of(t *testing.T, rule string) *policy.Method {
	t.Helper()
	return resolved(t, "", "", rule)
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

		"alternative added":                   {named + bearer, bearer + key},
		"alternative added to two":            {`headers: {name: "x-c" present: {} optional: true}` + bearer + key, bearer + key + `any_of: {headers: {name: "x-c" present: {}}}`},
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
