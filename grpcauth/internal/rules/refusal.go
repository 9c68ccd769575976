package rules

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Reason says why a check ended as it did. The zero value is none of them, and so never Allowed.
type Reason uint8

// The ends of a check.
const (
	Allowed        Reason = iota + 1
	Missing               // a required header did not arrive
	Repeated              // a header arrived more than once
	Malformed             // a value is empty, too long, or not of its type or scheme
	Refused               // a value is not the right one, or its verifier said no
	ScopeMissing          // the verifier did not report a scope of the rule
	VerifierFailed        // the verifier could not tell, panicked or misbehaved
	Unlisted              // no rule covers the method
)

// String is the reason in words, in lower case.
func (r Reason) String() string {
	names := [...]string{
		"none", "allowed", "missing", "repeated", "malformed", "refused", "scope missing", "verifier failed",
		"unlisted",
	}
	if int(r) >= len(names) {
		return fmt.Sprintf("reason %d", uint8(r))
	}
	return names[r]
}

// Verdict is the outcome of a check. It is small, to be returned in registers.
type Verdict struct {
	*outcome

	Reason Reason

	added       bool // the verifier added something to the context
	unavailable bool // the verifier could not tell at the moment: another alternative's failure counts less
}

// outcome is what else is known of a verdict. Rules share it between calls: it is not changed.
type outcome struct {
	Header  string // the metadata key that decided, "" for an allowed call
	Refusal error  // the status for the caller, nil for an allowed call
	Err     error  // the verifier's own error, which stays on the server
}

// noRefusal is the outcome of all allowed calls.
var noRefusal = &outcome{} //nolint:gochecknoglobals // a constant

func allow() Verdict { return Verdict{Reason: Allowed, outcome: noRefusal} }

// Texts for callers, where the rule's own would mislead. None of them says anything of a credential.
const (
	textUnverified = "the credential could not be verified"
	textExpired    = "the credential has expired"
	textInternal   = "access control failed"
)

// ErrExpired is what a call gets whose credential expires while it is served.
var ErrExpired = status.Error(codes.Unauthenticated, textExpired)

var errInternal = status.Error(codes.Internal, textInternal)

// DeniedError is a verifier's refusal in its own words.
type DeniedError struct {
	Code    codes.Code
	Message string
}

// Error is the message, which the caller sees.
func (d *DeniedError) Error() string { return fmt.Sprintf("%s: %s", d.Code, d.Message) }

// GRPCStatus is what the caller gets.
func (d *DeniedError) GRPCStatus() *status.Status { return status.New(d.Code, d.Message) }

// UnavailableError is the error of a verifier that cannot tell at the moment.
type UnavailableError struct{ Err error }

// Error is for the server's eyes.
func (u *UnavailableError) Error() string { return fmt.Sprintf("unavailable: %v", u.Err) }

// Unwrap is the cause.
func (u *UnavailableError) Unwrap() error { return u.Err }

// GRPCStatus is UNAVAILABLE, without the cause's text.
func (u *UnavailableError) GRPCStatus() *status.Status {
	return status.New(codes.Unavailable, textUnverified)
}

// judgeError turns a verifier's error into a verdict. Of texts, only a DeniedError's reaches the caller.
// ended is why the call itself has ended, nil if it has not.
func (e *Evaluator) judgeError(ended error, header string, err error) Verdict {
	verdict := Verdict{Reason: Refused, outcome: &outcome{Header: header, Refusal: e.denied, Err: err}}
	var down *UnavailableError
	var denied *DeniedError
	var carrier interface{ GRPCStatus() *status.Status }
	unavailable := errors.As(err, &down) // whatever it wraps or is wrapped with
	switch {
	case !unavailable && errors.As(err, &denied):
		verdict.Refusal, verdict.unavailable = denied.GRPCStatus().Err(), denied.Code == codes.Unavailable
		if denied.Code == codes.OK {
			verdict.Reason, verdict.Refusal = VerifierFailed, errInternal
		}
	case ended != nil:
		verdict.Reason, verdict.Refusal = VerifierFailed, status.FromContextError(ended).Err()
	case unavailable:
		verdict.Reason, verdict.Refusal = VerifierFailed, status.Error(codes.Unavailable, textUnverified)
		verdict.unavailable = true
	case errors.As(err, &carrier):
		switch code := carrier.GRPCStatus().Code(); code {
		case codes.OK:
			verdict.Reason, verdict.Refusal = VerifierFailed, errInternal
		case codes.Unauthenticated, codes.PermissionDenied:
			verdict.Refusal = status.Error(code, e.rule.denial.Message)
		default:
			verdict.Reason, verdict.Refusal = VerifierFailed, status.Error(code, textUnverified)
			verdict.unavailable = code == codes.Unavailable
		}
	}
	return verdict
}

// misbehaved is the verdict on a verifier that broke its contract.
func misbehaved(header string, err error) Verdict {
	return Verdict{Reason: VerifierFailed, outcome: &outcome{Header: header, Refusal: errInternal, Err: err}}
}
