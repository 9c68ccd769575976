package policy_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// checkFindings resolves three levels and compares all that is found, or "" for nothing.
func checkFindings(t *testing.T, ofFile, ofService, ofMethod string, want ...string) {
	t.Helper()
	_, findings := policy.Resolve(levels(t, ofFile, ofService, ofMethod), false)
	var got []string
	for _, finding := range findings.Sorted() {
		got = append(got, finding.Element+": "+finding.Message)
	}
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("%s / %s / %s: got\n%s\nwant\n%s",
			ofFile, ofService, ofMethod, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const closed = `headers: {name: "x-closed" equals: "1"}`

func TestT44_RuleOfOnlyOptionalHeaders(t *testing.T) {
	t.Parallel()
	const optional = `headers: {name: "o-a" verify: {} optional: true} headers: {name: "o-b" present: {} optional: true}`
	const refused = "headers: all of them are optional, so this rule requires nothing"
	checkFindings(t, optional, "", "", "package a.v1: "+refused)
	checkFindings(t, "", optional, "", "a.v1.A: "+refused)
	checkFindings(t, "", "", optional, "a.v1.A.Get: "+refused)
	// Not even where another level requires something: a rule says by itself what it closes.
	checkFindings(t, closed, "", optional, "a.v1.A.Get: "+refused)
	checkFindings(t, optional, "", closed, "package a.v1: "+refused)
	checkFindings(t, "public: true", optional, closed, "a.v1.A: "+refused)
	checkFindings(t, "", "", `denial: {message: "no"} `+optional, "a.v1.A.Get: "+refused)
	// The words that say what is meant.
	checkFindings(t, "", "", "public: true "+optional)
	checkFindings(t, closed, "", "public: true "+optional)
	checkFindings(t, "", "", closed+optional)
	checkFindings(t, "", "", optional+`any_of: {headers: {name: "x-a" bearer: {}}}`)
	checkFindings(t, "", "", "replace: true "+optional, "a.v1.A.Get: replace: drops what outer levels require")
	checkFindings(t, "", "", `guarded_by: "x" `+optional, "a.v1.A.Get: guarded_by: nothing is checked here")
}

func TestT44_OptionalInsideAnAlternative(t *testing.T) {
	t.Parallel()
	const refused = ".optional: is refused in an alternative"
	checkFindings(t, "", "", `any_of: {headers: {name: "x-a" verify: {} optional: true}}`,
		"a.v1.A.Get: any_of[0].headers[0]"+refused)
	checkFindings(t, `
		any_of: {headers: {name: "x-a" verify: {}} headers: {name: "x-b" equals: "1" optional: true}}
		any_of: {headers: {name: "x-c" bearer: {} optional: true} headers: {name: "x-d" basic: {} optional: true}}`, "", "",
		"package a.v1: any_of[0].headers[1]"+refused,
		"package a.v1: any_of[1].headers[0]"+refused, "package a.v1: any_of[1].headers[1]"+refused)
	checkFindings(t, "", "", closed+`any_of: {}`, "a.v1.A.Get: any_of[0]: is empty, so every call would satisfy it")
	checkFindings(t, "", "", closed+`any_of: {headers: {name: "x-a" verify: {}}} any_of: {}`, "a.v1.A.Get: any_of[1]: is empty")
}

func TestT44_HeaderTwiceOnOnePath(t *testing.T) {
	t.Parallel()
	checks := map[string]string{
		"equals": `equals: "1"`, "in": `in: {values: "1" values: "2"}`, "present": `present: {}`, "bearer": `bearer: {}`,
		"basic": `basic: {}`, "verify": `verify: {}`, "scheme": `verify: {scheme: "DPoP"}`,
	}
	for first, one := range checks {
		for second, other := range checks {
			if first > second {
				continue
			}
			header := func(check string) string { return `headers: {name: "x-a" ` + check + `} ` }
			alternative := func(check string) string { return "any_of: {" + header(check) + "} " }
			const twice = `name: "x-a" is already named by `
			// In one level: headers, an alternative, headers and an alternative.
			checkFindings(t, "", "", header(one)+header(other), "a.v1.A.Get: headers[1]."+twice+"headers[0]")
			checkFindings(t, "", "", header(one+" optional: true")+header(other), "a.v1.A.Get: headers[1]."+twice+"headers[0]")
			checkFindings(t, "", "", alternative(one+"} "+header(other)[:len(header(other))-2]),
				"a.v1.A.Get: any_of[0].headers[1]."+twice+"any_of[0].headers[0]")
			checkFindings(t, "", "", header(one)+alternative(`equals: "1"} headers: {name: "x-b" equals: "2"`)+alternative(other),
				"a.v1.A.Get: any_of[0].headers[0]."+twice+"headers[0]", "a.v1.A.Get: any_of[1].headers[0]."+twice+"headers[0]")
			// In two levels, side by side or with one between.
			for _, between := range []string{"", `headers: {name: "x-b" equals: "1"}`, `denial: {message: "no"}`} {
				checkFindings(t, header(one), between, header(other), "a.v1.A.Get: headers[0]."+twice+"an outer level")
				checkFindings(t, header(one), between, alternative(other), "a.v1.A.Get: any_of[0].headers[0]."+twice+"an outer level")
				checkFindings(t, alternative(one), between, header(other),
					"a.v1.A.Get: headers[0]."+twice+"an alternative of an outer level")
				checkFindings(t, "public: true "+header(one+" optional: true"), between, header(other),
					"a.v1.A.Get: headers[0]."+twice+"an outer level")
			}
			// A word drops the first, and two alternatives are two paths.
			checkFindings(t, header(one), "", "replace: true "+header(other))
			checkFindings(t, header(one), "", "replace: true "+alternative(other))
			checkFindings(t, alternative(one), "", "replace: true "+header(other))
			checkFindings(t, header(one), "public: true", header(other))
			checkFindings(t, alternative(one), `guarded_by: "x"`, alternative(other))
			checkFindings(t, header(one), "", "public: true "+header(other+" optional: true"))
			checkFindings(t, "", "", alternative(one)+alternative(other))
		}
	}
}

// Two any_of on one path would have to be satisfied both; which level is wrong is for the author to say.
func TestT44_AnyOfAtTwoLevels(t *testing.T) {
	t.Parallel()
	const refused = "any_of: an outer level has any_of as well"
	rule := func(name string) string {
		return `any_of: {headers: {name: "` + name + `" verify: {}}} any_of: {headers: {name: "` + name + `-2" verify: {}}}`
	}
	checkFindings(t, rule("x-a"), rule("x-b"), "", "a.v1.A: "+refused)
	checkFindings(t, rule("x-a"), "", rule("x-b"), "a.v1.A.Get: "+refused)
	checkFindings(t, "", rule("x-a"), rule("x-a"), "a.v1.A.Get: "+refused)
	checkFindings(t, rule("x-a"), rule("x-b"), rule("x-c"), "a.v1.A: "+refused, "a.v1.A.Get: "+refused)
	for _, dropping := range []string{"public: true", `guarded_by: "x"`, "replace: true " + closed} {
		checkFindings(t, rule("x-a"), dropping, rule("x-b"))
	}
	checkFindings(t, rule("x-a"), "", "replace: true "+rule("x-b"))
	// Also where the outer one has other mistakes.
	checkFindings(t, "", `any_of: {headers: {name: "X-A" verify: {}}}`, rule("x-b"),
		`a.v1.A: any_of[0].headers[0].name: "X-A" must be lower case`, "a.v1.A.Get: "+refused)
}

// Each word that says who may call, with each kind of requirement: what contradicts does not generate.
func TestT44_WordsThatContradict(t *testing.T) {
	t.Parallel()
	words := map[string]string{"": "", "public": "public: true ", "replace": "replace: true ", "guarded_by": `guarded_by: "x" `}
	requirements := map[string]string{
		"nothing":              "",
		"a header":             closed,
		"an optional one":      `headers: {name: "o-a" verify: {} optional: true}`,
		"both":                 closed + `headers: {name: "o-a" verify: {} optional: true}`,
		"any_of":               `any_of: {headers: {name: "a-a" verify: {}}}`,
		"any_of, optional one": `any_of: {headers: {name: "a-a" verify: {}}} headers: {name: "o-a" verify: {} optional: true}`,
	}
	fine := map[string][]string{
		"":           {"a header", "both", "any_of", "any_of, optional one"},
		"public":     {"nothing", "an optional one"},
		"replace":    {"a header", "both", "any_of", "any_of, optional one"},
		"guarded_by": {"nothing"},
	}
	for word, text := range words {
		for _, name := range slices.Sorted(maps.Keys(requirements)) {
			_, findings := policy.Resolve(levels(t, "", "", text+requirements[name]), false)
			allowed := slices.Contains(fine[word], name) || text+requirements[name] == ""
			if allowed != (len(findings) == 0) || len(findings) > 1 {
				t.Errorf("%q with %s: %v", word, name, findings)
			}
		}
	}
}
