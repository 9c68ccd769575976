package oracle

// Act is what a verifier does.
type Act int

// The acts. Those that panic or return a context that is none of this question's are bugs.
const (
	Accepts    Act = iota
	Fails          // with an error of its own
	Denies         // with Code and Message for the caller
	Reports        // with an error that carries a status with Code
	CannotTell     // because what it asks does not answer
	Panics
	ReturnsNil
	ReturnsRoot    // a context that is not derived from the call's
	ReturnsEnded   // one that is derived, and that it has ended
	FailsWithNoted // an error beside a context that would have been fine
	acts
)

// Acts is the number of acts.
const Acts = int(acts)

// Answer is what a verifier says about one credential.
type Answer struct {
	Act     Act
	Code    int
	Message string
	Wrapped bool     // the error is inside another one
	Grants  []string // reported as granted
	Silent  bool     // nothing is reported as granted
	Hours   int      // when the credential expires, from now; 0 if it does not
}

// What callers read where the rule's own text would mislead.
const (
	unverified = "the credential could not be verified"
	internal   = "access control failed"
)

const (
	ok                = 0
	permissionDenied  = 7
	codeInternal      = 13
	codeUnavailable   = 14
	unauthenticated   = 16
	reasonRefused     = "refused"
	reasonScope       = "scope missing"
	reasonFailed      = "verifier failed"
	reasonMissing     = "missing"
	reasonRepeated    = "repeated"
	reasonMalformed   = "malformed"
	reasonAllowed     = "allowed"
	textOfAnEndedCall = "" // grpc's own; not looked at
)

// failure is how one question fails; nil if it does not.
func (r *Rule) failure(answer *Answer, h *Header, ended int) *Outcome {
	failed := &Outcome{Reason: reasonFailed, Header: h.Name, Code: codeInternal, Message: internal, Failed: true}
	switch answer.Act {
	case Panics, ReturnsNil, ReturnsRoot:
		return failed
	case ReturnsEnded:
		if ended == 0 {
			return failed
		}
	case Denies:
		if answer.Code != ok {
			failed.Reason, failed.Code, failed.Message = reasonRefused, answer.Code, answer.Message
			failed.unavailable = answer.Code == codeUnavailable
		}
		return failed
	case Fails, FailsWithNoted, Reports, CannotTell:
		return r.error(failed, answer, ended)
	case Accepts, acts:
	}
	switch {
	case answer.Hours < 0:
		return &Outcome{Reason: reasonRefused, Header: h.Name, Code: r.Code, Message: r.Message, Failed: true}
	case !grantsAll(answer, h.Scopes):
		return &Outcome{Reason: reasonScope, Header: h.Name, Code: permissionDenied, Message: r.Message}
	}
	return nil
}

// error is what becomes of an error that is no refusal in the verifier's own words.
func (r *Rule) error(failed *Outcome, answer *Answer, ended int) *Outcome {
	switch {
	case ended != 0:
		failed.Code, failed.Message = ended, textOfAnEndedCall
	case answer.Act == CannotTell:
		failed.Code, failed.Message, failed.unavailable = codeUnavailable, unverified, true
	case answer.Act != Reports:
		failed.Reason, failed.Code, failed.Message = reasonRefused, r.Code, r.Message
	case answer.Code == unauthenticated || answer.Code == permissionDenied:
		failed.Reason, failed.Code, failed.Message = reasonRefused, answer.Code, r.Message
	case answer.Code != ok:
		failed.Code, failed.Message, failed.unavailable = answer.Code, unverified, answer.Code == codeUnavailable
	}
	return failed
}

func grantsAll(answer *Answer, scopes []string) bool {
	granted := map[string]bool{}
	for _, scope := range answer.Grants {
		granted[scope] = !answer.Silent
	}
	for _, scope := range scopes {
		if !granted[scope] {
			return false
		}
	}
	return true
}
