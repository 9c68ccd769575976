package rules

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Evaluator decides about the calls of one method. It is immutable and safe for concurrent use.
//
// What is read for every call stands first, on one line of a processor's cache: a server calls many methods in turn.
type Evaluator struct {
	asks          bool // some header is verified by the application
	keeps         bool // some value is needed after its own check
	shadows       bool // see Rule
	maxValueBytes int
	headers       []header // the rule's, with their verifiers
	anyOf         [][]header
	rule          *Rule

	denied       error      // the rule's denial
	othersDenied []*outcome // of calls that one of the rule's others decides about
	scopeMissing error
}

// NewEvaluator binds a rule to the application's verifiers. Values longer than maxValueBytes are refused.
// The error names a header that has no verifier.
func NewEvaluator(rule *Rule, verifiers []Verifier, maxValueBytes int) (*Evaluator, error) {
	made := &Evaluator{
		rule:          rule,
		shadows:       rule.shadows,
		maxValueBytes: maxValueBytes,
		denied:        status.Error(rule.denial.Code, rule.denial.Message),
		scopeMissing:  status.Error(codes.PermissionDenied, rule.denial.Message),
	}
	var err error
	if made.headers, err = made.bind(rule.headers, verifiers); err != nil {
		return nil, err
	}
	for _, alternative := range rule.anyOf {
		bound, err := made.bind(alternative, verifiers)
		if err != nil {
			return nil, err
		}
		made.anyOf = append(made.anyOf, bound)
	}
	for _, name := range rule.others {
		made.othersDenied = append(made.othersDenied, &outcome{Header: name, Refusal: made.denied})
	}
	made.keeps = len(made.anyOf) > 0 ||
		slices.ContainsFunc(made.headers, func(h header) bool { return h.Kind != Literal })
	return made, nil
}

// For decides about the calls of another method that asks for the same: it is nil where rule does not. What the two
// have in common is there once, so that calls of many methods find it in the processor's cache.
func (e *Evaluator) For(rule *Rule) *Evaluator {
	if e == nil || !rule.like(e.rule) {
		return nil
	}
	other := *e
	other.rule = rule
	return &other
}

// Asks is true if the application decides about some header. Only then can a credential expire.
func (e *Evaluator) Asks() bool { return e.asks }

// Check decides whether the call whose incoming metadata is in ctx carries what the rule requires: first
// all that needs no verifier, then the headers' verifiers in order, then the alternatives.
//
// The handler must run with the context that is returned. It differs from ctx, and changed is true, only
// where something is passed on, or where values of an outer call in the same process must not be seen by
// this one.
func (e *Evaluator) Check(ctx context.Context) (admitted context.Context, changed bool, verdict Verdict) {
	arrived := incomingOf(ctx)
	if e.keeps {
		return e.checkAndKeep(ctx, arrived)
	}
	for i := range e.headers {
		h := &e.headers[i]
		text, reason := e.arrived(arrived, h.Header)
		switch {
		case reason == Missing && h.optional:
		case reason != Allowed:
			return ctx, false, Verdict{Reason: reason, outcome: h.denied}
		case !isOneOf(text, h.literals):
			return ctx, false, Verdict{Reason: Refused, outcome: h.denied}
		}
	}
	admitted, changed = e.passOn(ctx, nil)
	return admitted, changed, allow()
}

// WithoutValues is the context for the handler of a call that was refused and is let pass all the same: it
// differs from ctx, and changed is true, only where values of an outer call must not be seen.
func (e *Evaluator) WithoutValues(ctx context.Context) (admitted context.Context, changed bool) {
	return e.passOn(ctx, nil)
}

// checkAndKeep is Check for a rule of which more than literals is asked.
func (e *Evaluator) checkAndKeep(ctx context.Context, arrived incoming) (context.Context, bool, Verdict) {
	const inPlace = 4 // so many headers are read without an allocation of ours
	var room [inPlace]reading
	readings := room[:0]
	for i := range e.headers {
		read, reason := e.read(arrived, &e.headers[i])
		if reason != Allowed {
			return ctx, false, Verdict{Reason: reason, outcome: e.headers[i].denied}
		}
		readings = append(readings, read)
	}
	if e.asks || len(e.anyOf) > 0 {
		return e.checkCredentials(ctx, arrived, readings)
	}
	admitted, changed := e.passOn(ctx, keep(nil, e.headers, readings))
	return admitted, changed, allow()
}

// bind returns a copy of the headers with their verifiers.
func (e *Evaluator) bind(headers []header, verifiers []Verifier) ([]header, error) {
	bound := slices.Clone(headers)
	for i := range bound {
		h := &bound[i]
		h.denied = &outcome{Header: h.Header, Refusal: e.denied}
		if !h.verified() {
			continue
		}
		e.asks = true
		at := slices.IndexFunc(verifiers, func(v Verifier) bool { return v.Slot == h.Slot })
		if at < 0 || verifiers[at].Verify == nil {
			return nil, fmt.Errorf("header %q has no verifier", h.Header)
		}
		h.verifier = &verifiers[at]
		asText := h.verifier.Type == String && h.typ == Bytes
		if h.verifier.Type != h.typ && !asText { // both are 0 for Bearer and Basic
			return nil, fmt.Errorf("header %q has a verifier of another type", h.Header)
		}
	}
	return bound, nil
}

// read checks all of one header but the verifier's part.
func (e *Evaluator) read(from incoming, h *header) (reading, Reason) {
	text, reason := e.arrived(from, h.Header)
	if reason == Missing && h.optional {
		return reading{}, Allowed
	}
	if reason != Allowed {
		return reading{}, reason
	}
	credential, reason := h.parse(text)
	return reading{Credential: credential, there: true}, reason
}

// checkCredentials goes on where verifiers or alternatives decide.
func (e *Evaluator) checkCredentials(
	ctx context.Context, arrived incoming, readings []reading,
) (context.Context, bool, Verdict) {
	admitted, changed := e.passOn(ctx, nil) // a verifier must not see an outer call's values either
	admitted, verdict := e.askAll(admitted, ctx.Err, e.headers, readings)
	if verdict.Reason != Allowed {
		return ctx, false, verdict
	}
	added := verdict.added
	kept := keep(nil, e.headers, readings)
	if len(e.anyOf) > 0 {
		texts, verdict := e.readOthers(arrived)
		if verdict.Reason != Allowed {
			return ctx, false, verdict
		}
		if admitted, kept, verdict = e.tryAll(admitted, ctx.Err, texts, kept); verdict.Reason != Allowed {
			return ctx, false, verdict
		}
		added = added || verdict.added
	}
	if added {
		admitted, changed = withChecked(admitted), true
	}
	if kept != nil {
		admitted, changed = e.passOn(admitted, kept)
	}
	return admitted, changed, allow()
}

// readOthers reads the keys that only alternatives name, "" for one that did not arrive. One that arrived in
// a way that could be read differently refuses the call, also where another alternative would do.
func (e *Evaluator) readOthers(from incoming) ([]string, Verdict) {
	texts := make([]string, len(e.rule.others))
	for i, name := range e.rule.others {
		text, reason := e.arrived(from, name)
		if reason != Allowed && reason != Missing {
			return nil, Verdict{Reason: reason, outcome: e.othersDenied[i]}
		}
		texts[i] = text
	}
	return texts, allow()
}

// askAll asks the verifiers of a list of headers, each with the context that the one before it left.
func (e *Evaluator) askAll(
	ctx context.Context, ended func() error, headers []header, readings []reading,
) (context.Context, Verdict) {
	total := allow()
	for i := range headers {
		if !readings[i].there || headers[i].verifier == nil {
			continue
		}
		admitted, verdict := e.ask(ctx, ended, &headers[i], readings[i].Credential)
		if verdict.Reason != Allowed {
			return ctx, verdict
		}
		ctx = admitted //nolint:fatcontext // each verifier builds on the one before it
		total.added = total.added || verdict.added
	}
	return ctx, total
}

// tryAll tries the alternatives that apply. Each begins with the same context and values, so that nothing
// of those that fail is left behind. texts are the values of the rule's others, "" where none arrived.
func (e *Evaluator) tryAll(
	ctx context.Context, ended func() error, texts []string, kept *Values,
) (context.Context, *Values, Verdict) {
	var first, unavailable Verdict
	for _, alternative := range e.anyOf {
		if !applies(alternative, texts) {
			continue
		}
		admitted, readings, verdict := e.try(ctx, ended, alternative, texts)
		if verdict.Reason == Allowed {
			return admitted, keep(kept, alternative, readings), verdict
		}
		if ended() != nil {
			return ctx, nil, verdict // nobody waits for the others
		}
		if first.Reason == 0 {
			first = verdict
		}
		if verdict.unavailable && unavailable.Reason == 0 {
			unavailable = verdict
		}
	}
	switch {
	case unavailable.Reason != 0:
		return ctx, nil, unavailable // the caller may well be right, and should try again
	case first.Reason != 0:
		return ctx, nil, first
	}
	return ctx, nil, e.noneApplies(texts)
}

// try checks one alternative: all that needs no verifier first, as for headers.
func (e *Evaluator) try(
	ctx context.Context, ended func() error, alternative []header, texts []string,
) (context.Context, []reading, Verdict) {
	readings := make([]reading, len(alternative))
	for i := range alternative {
		h := &alternative[i]
		credential, reason := h.parse(texts[h.other])
		if reason != Allowed {
			return ctx, nil, Verdict{Reason: reason, outcome: h.denied}
		}
		readings[i] = reading{Credential: credential, there: true}
	}
	admitted, verdict := e.askAll(ctx, ended, alternative, readings)
	return admitted, readings, verdict
}

// applies is true if all headers of the alternative arrived, each with the scheme that it declares.
func applies(alternative []header, texts []string) bool {
	for i := range alternative {
		h := &alternative[i]
		text, scheme := texts[h.other], h.scheme()
		if text == "" || (scheme != "" && !hasScheme(text, scheme)) {
			return false
		}
	}
	return true
}

// noneApplies names the first header that was there and did not help, or the first that was not there.
func (e *Evaluator) noneApplies(texts []string) Verdict {
	for i, text := range texts {
		if text != "" {
			return Verdict{Reason: Malformed, outcome: e.othersDenied[i]}
		}
	}
	return Verdict{Reason: Missing, outcome: e.othersDenied[0]}
}
