package rules

import (
	"testing"

	"google.golang.org/grpc/metadata"
)

// The verdict names the reason and the first header that decided, in declaration order.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	compiled, err := Compile(&Service{Name: "a.v1.A", Methods: []Method{
		{FullMethod: "/a.v1.A/Get", Denial: Denial{Code: 16}, Headers: []Header{
			{Name: "x-equals", Equals: "42"},
			{Name: "x-i", Present: Int64},
			{Name: "x-in", In: []string{"a", "b"}},
		}},
		{FullMethod: "/a.v1.A/Open", Public: true},
		{FullMethod: "/a.v1.A/Elsewhere", GuardedBy: "a proxy"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	evaluators := make([]*Evaluator, len(compiled))
	for i, rule := range compiled {
		if evaluators[i], err = NewEvaluator(rule, nil, 100); err != nil {
			t.Fatal(err)
		}
	}
	type want struct {
		reason Reason
		header string
	}
	for _, test := range []struct {
		sent []string
		want want
	}{
		{nil, want{Missing, "x-equals"}},
		{[]string{"x-equals", ""}, want{Malformed, "x-equals"}},
		{[]string{"x-equals", "43"}, want{Refused, "x-equals"}},
		{[]string{"x-equals", "42", "x-equals", "42"}, want{Repeated, "x-equals"}},
		{[]string{"x-equals", "42"}, want{Missing, "x-i"}},
		{[]string{"x-equals", "42", "x-i", "+7"}, want{Malformed, "x-i"}},
		{[]string{"x-equals", "42", "x-i", "7", "x-i", "8"}, want{Repeated, "x-i"}},
		{[]string{"x-equals", "42", "x-i", "7"}, want{Missing, "x-in"}},
		{[]string{"x-equals", "42", "x-i", "7", "x-in", "c"}, want{Refused, "x-in"}},
		{[]string{"x-equals", "42", "x-i", "7", "x-in", "b"}, want{Allowed, ""}},
		{[]string{"x-equals", "43", "x-i", "seven", "x-in", "c"}, want{Refused, "x-equals"}},
	} {
		ctx := metadata.NewIncomingContext(t.Context(), metadata.Pairs(test.sent...))
		admitted, changed, verdict := evaluators[0].Check(ctx)
		allowed := test.want.reason == Allowed
		if (want{verdict.Reason, verdict.Header}) != test.want || (verdict.Refusal == nil) != allowed || verdict.Err != nil || changed != allowed || (admitted != ctx) != allowed {
			t.Errorf("%q: got %+v, changed %t; want %+v", test.sent, verdict, changed, test.want)
		}
	}
	for _, open := range evaluators[1:] {
		if admitted, changed, verdict := open.Check(t.Context()); verdict != allow() || changed || admitted != t.Context() {
			t.Errorf("%s: %+v, changed %t", open.rule.FullMethod, verdict, changed)
		}
	}
	if _, _, verdict := evaluators[0].Check(t.Context()); verdict.Reason != Missing || verdict.Header != "x-equals" {
		t.Errorf("without metadata: %+v", verdict)
	}
}
