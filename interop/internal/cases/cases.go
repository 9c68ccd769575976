// Package cases lists the calls that are made between us and other languages, and what their callers must see.
package cases

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
)

// A Call is one call as the calling side saw it. Clients in other languages print it as JSON.
type Call struct {
	Kind    string     `json:"kind"`   // a method, or "details": SayHello that fails with a status that has details
	Header  string     `json:"header"` // one of the constants below
	Code    codes.Code `json:"code"`
	Message string     `json:"message"`
	Details []string   `json:"details"`
	Answers []string   `json:"answers"`
}

// The kinds of call, and what their callers' metadata is.
const (
	SayHello      = "SayHello"
	RepeatHello   = "RepeatHello"
	GreetTogether = "GreetTogether"
	GreetInTurn   = "GreetInTurn"
	Ping          = "Ping"
	Details       = "details"

	None  = "none"
	Right = "right"
	Wrong = "wrong"
	Twice = "twice"
)

// Kinds are all kinds.
func Kinds() []string {
	return []string{SayHello, RepeatHello, GreetTogether, GreetInTurn, Ping, Details}
}

// Expected is what a caller must see: the rules of greeter.proto, and what the greeter answers.
func Expected(kind, header string) Call {
	const helloAda = "Hello Ada!"
	want := Call{Kind: kind, Header: header}
	switch {
	case kind == Ping:
		want.Answers = []string{""}
	case header != Right:
		want.Code, want.Message = codes.Unauthenticated, "Access denied!"
	case kind == SayHello:
		want.Answers = []string{helloAda}
	case kind == RepeatHello:
		want.Answers = []string{helloAda, helloAda}
	case kind == GreetTogether:
		want.Answers = []string{"Hello Ada and Grace!"}
	case kind == GreetInTurn:
		want.Answers = []string{helloAda, "Hello Grace!"}
	case kind == Details:
		want.Code, want.Message, want.Details = codes.NotFound, "nobody to greet", []string{"try Ada"}
	}
	return want
}

func (c Call) String() string {
	return strings.TrimSpace(fmt.Sprintf("%-13s header %-5s  %s %q %s", c.Kind, c.Header, c.Code, c.Message,
		strings.Join(slices.Concat(c.Details, c.Answers), ", ")))
}

// Equal says whether two callers saw the same.
func (c Call) Equal(other Call) bool {
	return c.Kind == other.Kind && c.Header == other.Header && c.Code == other.Code && c.Message == other.Message &&
		slices.Equal(c.Details, other.Details) && slices.Equal(c.Answers, other.Answers)
}
