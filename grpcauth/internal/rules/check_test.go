package rules

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// answer is what a verifier does.
type answer func(context.Context) (context.Context, error)

func nothing(ctx context.Context) (context.Context, error) { return ctx, nil }

type addedKey struct{}

func adds(value string) answer {
	return func(ctx context.Context) (context.Context, error) {
		return context.WithValue(ctx, addedKey{}, value), nil
	}
}

func fails(err error) answer {
	return func(context.Context) (context.Context, error) { return nil, err }
}

func bearerFor(name string, does answer) Verifier {
	return Verifier{
		Slot: Slot{Header: name, Kind: Bearer},
		Verify: func(ctx context.Context, _ Call, _ Credential) (context.Context, error) {
			return does(ctx)
		},
	}
}

// checker makes an evaluator of one method.
func checker(t *testing.T, method Method, verifiers ...Verifier) *Evaluator {
	t.Helper()
	method.FullMethod = "/a.v1.A/Get"
	if method.Denial.Code == codes.OK {
		method.Denial = Denial{Code: codes.Unauthenticated, Message: "no"}
	}
	compiled, err := Compile(&Service{Name: "a.v1.A", Methods: []Method{method}})
	if err != nil {
		t.Fatal(err)
	}
	made, err := NewEvaluator(compiled[0], verifiers, 100)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func arriving(t *testing.T, pairs ...string) context.Context {
	t.Helper()
	return metadata.NewIncomingContext(t.Context(), metadata.Pairs(pairs...))
}

// The context is replaced where something is added, and only there: by any one of several verifiers.
func TestChangedSaysWhetherSomethingWasAdded(t *testing.T) {
	t.Parallel()
	both := Method{
		Headers: []Header{{Name: "x-a", Bearer: true}, {Name: "x-b", Bearer: true}},
		AnyOf:   [][]Header{{{Name: "x-c", Bearer: true}, {Name: "x-d", Bearer: true}}},
	}
	sent := []string{"x-a", "Bearer a", "x-b", "Bearer b", "x-c", "Bearer c", "x-d", "Bearer d"}
	names := []string{"x-a", "x-b", "x-c", "x-d"}
	for adding := range 1 << len(names) {
		var verifiers []Verifier
		for i, name := range names {
			does := nothing
			if adding&(1<<i) != 0 {
				does = adds(name)
			}
			verifiers = append(verifiers, bearerFor(name, does))
		}
		ctx := arriving(t, sent...)
		admitted, changed, verdict := checker(t, both, verifiers...).Check(ctx)
		if verdict.Reason != Allowed || verdict.Refusal != nil || changed != (adding != 0) || (admitted != ctx) != changed {
			t.Errorf("adding %04b: changed %t, %+v", adding, changed, verdict)
		}
		// What was added is not for a call that is made from inside of the handler.
		if inner := Inner(admitted); (CallOf(inner) != nil) != changed || CallOf(admitted) != nil {
			t.Errorf("adding %04b: the call inside is told apart: %t", adding, CallOf(inner) != nil)
		}
	}
}

// A refusal leaves the context as it was, whatever had been added before.
func TestRefusalsChangeNothing(t *testing.T) {
	t.Parallel()
	no := errors.New("no")
	method := Method{
		Headers: []Header{{Name: "x-a", Bearer: true}},
		AnyOf:   [][]Header{{{Name: "x-c", Bearer: true}}, {{Name: "x-d", Bearer: true}}},
	}
	for _, test := range []struct {
		sent   []string
		a, c   answer
		reason Reason
		header string
	}{
		{[]string{"x-a", "Bearer a"}, adds("a"), nothing, Missing, "x-c"},
		{[]string{"x-a", "Bearer a", "x-c", "c"}, adds("a"), nothing, Malformed, "x-c"},
		{[]string{"x-a", "Bearer a", "x-d", "d"}, adds("a"), nothing, Malformed, "x-d"},
		{[]string{"x-a", "Bearer a", "x-c", "Bearer c", "x-d", ""}, adds("a"), nothing, Malformed, "x-d"},
		{[]string{"x-a", "Bearer a", "x-c", "Bearer c", "x-c", "Bearer c"}, adds("a"), nothing, Repeated, "x-c"},
		{[]string{"x-a", "Bearer a", "x-c", "Bearer c"}, adds("a"), fails(no), Refused, "x-c"},
		{[]string{"x-a", "Bearer a", "x-c", "Bearer c,"}, adds("a"), nothing, Malformed, "x-c"},
		{[]string{"x-a", "Bearer a", "x-c", "Bearer c"}, fails(no), nothing, Refused, "x-a"},
		{[]string{"x-c", "Bearer c"}, adds("a"), nothing, Missing, "x-a"},
	} {
		ctx := arriving(t, test.sent...)
		evaluator := checker(t, method, bearerFor("x-a", test.a), bearerFor("x-c", test.c), bearerFor("x-d", nothing))
		admitted, changed, verdict := evaluator.Check(ctx)
		if admitted != ctx || changed || verdict.Reason != test.reason || verdict.Header != test.header {
			t.Errorf("%q: changed %t, %+v", test.sent, changed, verdict)
		}
		if verdict.Refusal == nil || status.Convert(verdict.Refusal).Message() != "no" {
			t.Errorf("%q: the caller gets %v", test.sent, verdict.Refusal)
		}
	}
}

// A rule of nothing but literals, whose context is never another one.
func TestLiterals(t *testing.T) {
	t.Parallel()
	evaluator := checker(t, Method{Headers: []Header{
		{Name: "x-a", Equals: "1"}, {Name: "x-b", Equals: "2", Optional: true},
	}})
	for _, test := range []struct {
		sent   []string
		reason Reason
		header string
	}{
		{[]string{"x-a", "1"}, Allowed, ""},
		{[]string{"x-a", "1", "x-b", "2"}, Allowed, ""},
		{nil, Missing, "x-a"},
		{[]string{"x-b", "2"}, Missing, "x-a"},
		{[]string{"x-a", "2"}, Refused, "x-a"},
		{[]string{"x-a", ""}, Malformed, "x-a"},
		{[]string{"x-a", "1", "x-a", "1"}, Repeated, "x-a"},
		{[]string{"x-a", "1", "x-b", "1"}, Refused, "x-b"},
		{[]string{"x-a", "1", "x-b", ""}, Malformed, "x-b"},
		{[]string{"x-a", "1", "x-b", "2", "x-b", "2"}, Repeated, "x-b"},
	} {
		ctx := arriving(t, test.sent...)
		admitted, changed, verdict := evaluator.Check(ctx)
		if admitted != ctx || changed || verdict.added || verdict.Reason != test.reason || verdict.Header != test.header ||
			(verdict.Refusal == nil) != (test.reason == Allowed) {
			t.Errorf("%q: changed %t, %+v", test.sent, changed, verdict)
		}
	}
}

// Where no value arrived, none is passed on.
func TestOptionalValueThatIsAbsent(t *testing.T) {
	t.Parallel()
	evaluator := checker(t, Method{Public: true, Headers: []Header{{Name: "x-a", Present: Int64, Optional: true}}})
	ctx := arriving(t, "x-b", "1")
	if admitted, changed, verdict := evaluator.Check(ctx); admitted != ctx || changed || verdict != allow() {
		t.Errorf("changed %t, %+v", changed, verdict)
	}
}

// One alternative that nobody verifies is a requirement like others.
func TestOneAlternativeWithoutVerifier(t *testing.T) {
	t.Parallel()
	evaluator := checker(t, Method{AnyOf: [][]Header{{{Name: "x-a", Equals: "1"}}}})
	if evaluator.Asks() {
		t.Error("it asks the application about a literal")
	}
	for _, test := range []struct {
		sent   []string
		reason Reason
	}{
		{nil, Missing},
		{[]string{"x-a", "2"}, Refused},
		{[]string{"x-a", "1", "x-a", "1"}, Repeated},
		{[]string{"x-a", "1"}, Allowed},
	} {
		if _, changed, verdict := evaluator.Check(arriving(t, test.sent...)); verdict.Reason != test.reason || changed {
			t.Errorf("%q: %+v, changed %t", test.sent, verdict, changed)
		}
	}
}

// A value that only an alternative names hides those of an outer call, too.
func TestValuesOfAnOuterCallAreHidden(t *testing.T) {
	t.Parallel()
	compiled, err := Compile(&Service{Name: "a.v1.A", Methods: []Method{
		{FullMethod: "/a.v1.A/Open", Public: true},
		{FullMethod: "/a.v1.A/Get", Denial: Denial{Code: codes.Unauthenticated}, AnyOf: [][]Header{
			{{Name: "x-other", Equals: "1"}},
			{{Name: "x-a", Present: String}},
		}},
		{FullMethod: "/a.v1.A/Closed", Public: true},
	}})
	if err != nil {
		t.Fatal(err)
	}
	service := compiled[0].service
	outer, _, verdict := mustEvaluate(t, compiled[1]).Check(arriving(t, "x-a", "outer"))
	if value, ok := FromContext[string](outer, service, "x-a"); !ok || value != "outer" || verdict.Reason != Allowed {
		t.Fatalf("%q, %t, %+v", value, ok, verdict)
	}
	if _, ok := FromContext[string](outer, service, "x-b"); ok {
		t.Error("a header that was not checked has a value")
	}
	for _, rule := range []*Rule{compiled[0], compiled[2]} {
		inner, changed, _ := mustEvaluate(t, rule).Check(outer)
		if value, ok := FromContext[string](inner, service, "x-a"); ok || value != "" || !changed {
			t.Errorf("%s: finds %q of the outer call", rule.FullMethod, value)
		}
		if without, hides := mustEvaluate(t, rule).WithoutValues(outer); !hides || without == outer {
			t.Errorf("%s: WithoutValues leaves the outer call's", rule.FullMethod)
		}
	}
	if without, hides := mustEvaluate(t, compiled[0]).WithoutValues(t.Context()); hides || without != t.Context() {
		t.Error("WithoutValues changes a context without values")
	}
}

func mustEvaluate(t *testing.T, rule *Rule) *Evaluator {
	t.Helper()
	made, err := NewEvaluator(rule, nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// Each key that only alternatives name is read once, in the order of its first mention.
func TestOthersAreListedOnce(t *testing.T) {
	t.Parallel()
	evaluator := checker(t, Method{AnyOf: [][]Header{
		{{Name: "x-a", Equals: "1"}, {Name: "x-b", Equals: "1"}},
		{{Name: "x-a", Equals: "2"}, {Name: "x-c", Equals: "1"}},
		{{Name: "x-b", Equals: "2"}, {Name: "x-c", Equals: "2"}},
	}})
	if others := evaluator.rule.others; len(others) != 3 || others[0] != "x-a" || others[1] != "x-b" || others[2] != "x-c" {
		t.Errorf("%q", others)
	}
	for _, test := range []struct {
		sent   []string
		reason Reason
	}{
		{[]string{"x-a", "1", "x-b", "1"}, Allowed},
		{[]string{"x-a", "2", "x-c", "1"}, Allowed},
		{[]string{"x-b", "2", "x-c", "2"}, Allowed},
		{[]string{"x-a", "1", "x-b", "2"}, Refused},
		{[]string{"x-a", "1"}, Malformed},
	} {
		if _, _, verdict := evaluator.Check(arriving(t, test.sent...)); verdict.Reason != test.reason {
			t.Errorf("%q: %+v", test.sent, verdict)
		}
	}
}

// The length is exactly the limit's, and no longer.
func TestMaxValueBytesIsExact(t *testing.T) {
	t.Parallel()
	evaluator := checker(t, Method{Headers: []Header{{Name: "x-a", Present: String}}})
	for length, want := range map[int]Reason{0: Malformed, 1: Allowed, 99: Allowed, 100: Allowed, 101: Malformed} {
		text := string(make([]byte, length))
		if _, _, verdict := evaluator.Check(arriving(t, "x-a", text)); verdict.Reason != want {
			t.Errorf("%d bytes: %+v", length, verdict)
		}
	}
}

// The earliest expiry counts; one at this very moment has passed.
func TestExpiryOfContexts(t *testing.T) {
	t.Parallel()
	now := time.Now()
	if _, ok := Expiry(t.Context()); ok {
		t.Error("a context that nobody told expires")
	}
	ctx := WithExpiry(WithExpiry(t.Context(), now.Add(time.Hour)), now.Add(time.Minute))
	if got, ok := Expiry(WithExpiry(ctx, now.Add(time.Hour))); !ok || !got.Equal(now.Add(time.Minute)) {
		t.Errorf("%v, %t", got, ok)
	}
	if same := WithExpiry(ctx, now.Add(time.Hour)); same != ctx {
		t.Error("a later expiry changes the context")
	}
}

// Scopes are covered by a report of this verifier that holds all of them.
func TestCovers(t *testing.T) {
	t.Parallel()
	report, earlier := &granted{scopes: []string{"a", "b"}}, &granted{scopes: []string{"a", "b"}}
	for _, test := range []struct {
		report, before *granted
		scopes         []string
		want           bool
	}{
		{nil, nil, nil, true},
		{nil, nil, []string{"a"}, false},
		{nil, earlier, []string{"a"}, false},
		{report, nil, []string{"a"}, true},
		{report, earlier, []string{"b", "a"}, true},
		{report, report, []string{"a"}, false},
		{report, report, nil, true},
		{report, nil, []string{"a", "c"}, false},
		{report, nil, []string{"c", "a"}, false},
		{&granted{}, nil, []string{"a"}, false},
	} {
		before := context.WithValue(t.Context(), grantedKey{}, test.before)
		returned := context.WithValue(before, grantedKey{}, test.report)
		if got := covers(returned, before, test.scopes); got != test.want {
			t.Errorf("%v before %v covers %q: %t", test.report, test.before, test.scopes, got)
		}
	}
}
