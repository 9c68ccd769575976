package rules

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// brokenContext panics where a handler's deadline is asked for.
type brokenContext struct{ context.Context }

func (brokenContext) Deadline() (time.Time, bool) { panic("broken") }

// What a verifier may answer, and what is made of it: reason, code and the error for the server's eyes.
func TestAnswersOfVerifiers(t *testing.T) {
	t.Parallel()
	plain := errors.New("plain")
	none := func(context.Context) (context.Context, error) { return nil, nil } //nolint:nilnil // what is tested
	for _, test := range []struct {
		name   string
		does   answer
		reason Reason
		code   codes.Code
		err    error // nil where any will do
	}{
		{"no context", none, VerifierFailed, codes.Internal, errNilContext},
		{"foreign", func(context.Context) (context.Context, error) { return t.Context(), nil }, VerifierFailed, codes.Internal, errForeignContext},
		{"ended", func(ctx context.Context) (context.Context, error) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, nil
		}, VerifierFailed, codes.Internal, errEndedContext},
		{"broken", func(ctx context.Context) (context.Context, error) { return brokenContext{ctx}, nil }, VerifierFailed, codes.Internal, nil},
		{"expired", func(ctx context.Context) (context.Context, error) { return WithExpiry(ctx, time.Now()), nil }, Refused, codes.Unauthenticated, errExpired},
		{"expires", func(ctx context.Context) (context.Context, error) {
			return WithExpiry(ctx, time.Now().Add(time.Hour)), nil
		}, Allowed, codes.OK, nil},
		{"plain", fails(plain), Refused, codes.Unauthenticated, plain},
		{"unavailable", fails(&UnavailableError{plain}), VerifierFailed, codes.Unavailable, plain},
		{"denied", fails(&DeniedError{codes.NotFound, "gone"}), Refused, codes.NotFound, nil},
		{"denied with OK", fails(&DeniedError{codes.OK, ""}), VerifierFailed, codes.Internal, nil},
		{"status OK", fails(okError{}), VerifierFailed, codes.Internal, nil},
		{"status", fails(status.Error(codes.PermissionDenied, "")), Refused, codes.PermissionDenied, nil},
		{"another status", fails(status.Error(codes.NotFound, "")), VerifierFailed, codes.NotFound, nil},
	} {
		ctx := arriving(t, "x-a", "Bearer a")
		admitted, changed, verdict := checker(t, Method{Headers: []Header{{Name: "x-a", Bearer: true}}}, bearerFor("x-a", test.does)).Check(ctx)
		allowed := test.reason == Allowed
		if verdict.Reason != test.reason || status.Code(verdict.Refusal) != test.code || (verdict.Err == nil) != allowed ||
			!allowed && verdict.Header != "x-a" || changed != allowed || (admitted != ctx) != allowed {
			t.Errorf("%s: %+v, changed %t", test.name, verdict, changed)
		}
		if test.err != nil && !errors.Is(verdict.Err, test.err) {
			t.Errorf("%s: %v, want %v", test.name, verdict.Err, test.err)
		}
	}
}

type okError struct{}

func (okError) Error() string              { return "ok" }
func (okError) GRPCStatus() *status.Status { return status.New(codes.OK, "") }

// A call that has ended is over, whatever its verifier says; that is no fault of the verifier.
func TestAnswersToAnEndedCall(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(arriving(t, "x-a", "Bearer a"))
	cancel()
	method := Method{Headers: []Header{{Name: "x-a", Bearer: true}}}
	if _, _, verdict := checker(t, method, bearerFor("x-a", nothing)).Check(ctx); verdict.Reason != Allowed {
		t.Errorf("a yes: %+v", verdict)
	}
	_, _, verdict := checker(t, method, bearerFor("x-a", fails(errors.New("no")))).Check(ctx)
	if verdict.Reason != VerifierFailed || status.Code(verdict.Refusal) != codes.Canceled {
		t.Errorf("a no: %+v", verdict)
	}
	deny := bearerFor("x-a", fails(&DeniedError{codes.NotFound, "gone"}))
	if _, _, verdict = checker(t, method, deny).Check(ctx); status.Code(verdict.Refusal) != codes.NotFound {
		t.Errorf("a denial: %+v", verdict)
	}
}

// Of alternatives that fail the first counts, unless one could not tell and the caller should try again.
func TestFailureThatCountsOfSeveral(t *testing.T) {
	t.Parallel()
	refused, internal := fails(errors.New("no")), fails(status.Error(codes.Internal, ""))
	down, statusDown := fails(&UnavailableError{errors.New("down")}), fails(status.Error(codes.Unavailable, ""))
	denied := fails(&DeniedError{codes.Unavailable, "later"})
	for _, test := range []struct {
		first, second answer
		header        string
		code          codes.Code
	}{
		{refused, refused, "x-a", codes.Unauthenticated},
		{refused, internal, "x-a", codes.Unauthenticated},
		{internal, refused, "x-a", codes.Internal},
		{refused, down, "x-b", codes.Unavailable},
		{refused, statusDown, "x-b", codes.Unavailable},
		{refused, denied, "x-b", codes.Unavailable},
		{internal, statusDown, "x-b", codes.Unavailable},
		{down, refused, "x-a", codes.Unavailable},
		{down, statusDown, "x-a", codes.Unavailable},
		{refused, fails(&DeniedError{codes.Aborted, ""}), "x-a", codes.Unauthenticated},
	} {
		evaluator := checker(t, Method{AnyOf: [][]Header{{{Name: "x-a", Bearer: true}}, {{Name: "x-b", Bearer: true}}}},
			bearerFor("x-a", test.first), bearerFor("x-b", test.second))
		_, _, verdict := evaluator.Check(arriving(t, "x-a", "Bearer a", "x-b", "Bearer b"))
		if verdict.Header != test.header || status.Code(verdict.Refusal) != test.code {
			t.Errorf("%+v, want %s and %s", verdict, test.header, test.code)
		}
	}
}

// Credentials and literals are not for handlers to read: only `present` and `in` are passed on.
func TestOnlyValuesArePassedOn(t *testing.T) {
	t.Parallel()
	evaluator := checker(t, Method{Headers: []Header{
		{Name: "x-b", Bearer: true},
		{Name: "x-e", Equals: "1"},
		{Name: "x-p", Present: String},
		{Name: "x-o", Present: Bool, Optional: true},
		{Name: "x-v", Verify: String},
	}}, bearerFor("x-b", nothing), Verifier{
		Slot: Slot{Header: "x-v", Kind: Verified}, Type: String,
		Verify: func(ctx context.Context, _ Call, _ Credential) (context.Context, error) { return ctx, nil },
	})
	ctx, _, verdict := evaluator.Check(arriving(t, "x-b", "Bearer b", "x-e", "1", "x-p", "p", "x-v", "v"))
	if verdict.Reason != Allowed {
		t.Fatalf("%+v", verdict)
	}
	for _, name := range []string{"x-b", "x-e", "x-v"} {
		if value, ok := FromContext[string](ctx, evaluator.rule.service, name); ok {
			t.Errorf("%s: %q", name, value)
		}
	}
	if _, ok := FromContext[bool](ctx, evaluator.rule.service, "x-o"); ok {
		t.Error("an optional header that did not arrive has a value")
	}
	if value, ok := FromContext[string](ctx, evaluator.rule.service, "x-p"); !ok || value != "p" {
		t.Errorf("x-p: %q, %t", value, ok)
	}
}

// A call inside of a call inside is told apart from the outermost once.
func TestInnerMarksOnce(t *testing.T) {
	t.Parallel()
	if ctx := t.Context(); Inner(ctx) != ctx || CallOf(ctx) != nil {
		t.Error("a call that came by a transport is marked")
	}
	inner := Inner(withChecked(t.Context()))
	if CallOf(inner) == nil || Inner(inner) != inner {
		t.Error("marked twice, or not at all")
	}
	if again := Inner(withChecked(inner)); CallOf(again) == CallOf(inner) {
		t.Error("two calls have one mark")
	}
}

func TestNamesOfReasons(t *testing.T) {
	t.Parallel()
	for reason, want := range map[Reason]string{
		0: "none", Allowed: "allowed", VerifierFailed: "verifier failed", Unlisted: "unlisted",
		Unlisted + 1: "reason 9", 255: "reason 255",
	} {
		if got := reason.String(); got != want {
			t.Errorf("%d: %q, want %q", reason, got, want)
		}
	}
}

// What is no number is none, and not another one that somebody could read.
func TestNumbersOfTexts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ    Type
		text   string
		number uint64
		ok     bool
	}{
		{String, "1", 0, true},
		{String, "", 0, false},
		{Bytes, "1", 0, true},
		{0, "1", 0, false},
		{Bytes + 1, "1", 0, false},
		{Int64, "x", 0, false},
		{Int64, "+1", 0, false},
		{Int64, "9223372036854775808", 0, false},
		{Int64, "-1", 1<<64 - 1, true},
		{Uint64, "x", 0, false},
		{Uint64, "01", 0, false},
		{Uint64, "18446744073709551616", 0, false},
		{Uint64, "7", 7, true},
		{Bool, "true", 1, true},
		{Bool, "false", 0, true},
		{Bool, "1", 0, false},
		{Bool, "", 0, false},
	} {
		if number, ok := parse(test.typ, test.text); number != test.number || ok != test.ok {
			t.Errorf("parse(%d, %q) = %d, %t", test.typ, test.text, number, ok)
		}
	}
}
