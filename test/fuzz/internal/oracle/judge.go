package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Judge decides about a call. answer is the application: what its verifier of a slot says about a credential.
func (r *Rule) Judge(call *Call, answer func(slot, credential string) Answer) Outcome {
	judged := &judgement{rule: r, call: call, answer: answer}
	outcome := judged.decide()
	outcome.Asked = judged.asked
	outcome.Allowed = outcome.Reason == reasonAllowed
	return *outcome
}

type judgement struct {
	rule   *Rule
	call   *Call
	answer func(slot, credential string) Answer
	asked  []Question
}

// seen is what a handler would see, if the call passed now.
type seen struct {
	values map[string]string
	trail  string
	hours  int
}

func (j *judgement) decide() *Outcome {
	if j.rule.GuardedBy != "" {
		return &Outcome{Reason: reasonAllowed}
	}
	var there []Header
	for _, h := range j.rule.Headers {
		if h.Optional && len(j.call.Metadata[h.Name]) == 0 {
			continue
		}
		if refused := j.arrival(h.Name); refused != nil {
			return refused
		}
		if refused := j.static(&h); refused != nil {
			return refused
		}
		there = append(there, h)
	}
	begun := seen{values: map[string]string{}}
	if refused := j.pass(there, &begun); refused != nil {
		return refused
	}
	if len(j.rule.AnyOf) == 0 {
		return begun.outcome()
	}
	return j.decideAnyOf(begun)
}

// decideAnyOf goes on after the headers.
func (j *judgement) decideAnyOf(begun seen) *Outcome {
	var names []string // in order of first appearance
	known := map[string]bool{}
	for _, alternative := range j.rule.AnyOf {
		for _, h := range alternative {
			if !known[h.Name] {
				known[h.Name] = true
				names = append(names, h.Name)
			}
		}
	}
	for _, name := range names {
		if len(j.call.Metadata[name]) == 0 {
			continue
		}
		if refused := j.arrival(name); refused != nil {
			return refused
		}
	}
	var failures []*Outcome
	for _, alternative := range j.rule.AnyOf {
		if !j.applies(alternative) {
			continue
		}
		tried := seen{values: maps.Clone(begun.values), trail: begun.trail, hours: begun.hours}
		refused := j.staticAll(alternative)
		if refused == nil {
			refused = j.pass(alternative, &tried)
		}
		if refused == nil {
			return tried.outcome()
		}
		failures = append(failures, refused)
		if j.call.Ended != 0 {
			break // nobody waits for the others
		}
	}
	if len(failures) > 0 {
		return weightiest(failures)
	}
	for _, name := range names {
		if len(j.call.Metadata[name]) > 0 {
			return j.refuse(reasonMalformed, name)
		}
	}
	return j.refuse(reasonMissing, names[0])
}

// weightiest is the first failure, or the first of a verifier that is unavailable: the caller may be right.
func weightiest(failures []*Outcome) *Outcome {
	for _, failure := range failures {
		if failure.unavailable {
			return failure
		}
	}
	return failures[0]
}

func (j *judgement) refuse(reason, header string) *Outcome {
	return &Outcome{Reason: reason, Header: header, Code: j.rule.Code, Message: j.rule.Message}
}

// arrival is about the number of values and their length.
func (j *judgement) arrival(name string) *Outcome {
	values := j.call.Metadata[name]
	switch {
	case len(values) == 0:
		return j.refuse(reasonMissing, name)
	case len(values) > 1:
		return j.refuse(reasonRepeated, name)
	case values[0] == "" || len(values[0]) > j.rule.MaxBytes:
		return j.refuse(reasonMalformed, name)
	}
	return nil
}

func (j *judgement) staticAll(headers []Header) *Outcome {
	for _, h := range headers {
		if refused := j.static(&h); refused != nil {
			return refused
		}
	}
	return nil
}

// static is all of a check that needs no verifier.
func (j *judgement) static(h *Header) *Outcome {
	text := j.call.Metadata[h.Name][0]
	if h.Check == Equals || h.Check == In {
		if !slices.Contains(h.Literals, text) {
			return j.refuse(reasonRefused, h.Name)
		}
		return nil
	}
	if _, ok := h.credential(text); !ok {
		return j.refuse(reasonMalformed, h.Name)
	}
	return nil
}

func (j *judgement) applies(alternative []Header) bool {
	for _, h := range alternative {
		values := j.call.Metadata[h.Name]
		if len(values) == 0 || h.scheme() != "" && !hasFirstWord(values[0], h.scheme()) {
			return false
		}
	}
	return true
}

// pass asks the verifiers of headers that are there and well formed, and notes what a handler would see.
func (j *judgement) pass(headers []Header, so *seen) *Outcome {
	for _, h := range headers {
		if !h.Verified() {
			continue
		}
		credential, _ := h.credential(j.call.Metadata[h.Name][0])
		j.asked = append(j.asked, Question{h.Slot(), credential, strings.Join(h.Scopes, " "), so.trail})
		answer := j.answer(h.Slot(), credential)
		if refused := j.rule.failure(&answer, &h, j.call.Ended); refused != nil {
			return refused
		}
		so.trail += Step(h.Slot(), credential)
		if answer.Hours != 0 && (so.hours == 0 || answer.Hours < so.hours) {
			so.hours = answer.Hours
		}
	}
	for _, h := range headers {
		switch h.Check {
		case In:
			so.values[h.Name] = j.call.Metadata[h.Name][0]
		case Present:
			so.values[h.Name], _ = h.credential(j.call.Metadata[h.Name][0])
		case Equals, Bearer, Basic, Verify:
		}
	}
	return nil
}

// Step is what a verifier that accepts adds to the trail that its context carries.
func Step(slot, credential string) string { return fmt.Sprintf("%s=%q;", slot, credential) }

func (s *seen) outcome() *Outcome {
	return &Outcome{Reason: reasonAllowed, Values: s.values, Trail: s.trail, Hours: s.hours}
}
