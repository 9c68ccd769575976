package main

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/codes"
)

// A call is one call as the calling side saw it. Clients in other languages print it as JSON.
type call struct {
	Kind    string     `json:"kind"`   // a method, or details: SayHello that fails with a status that has details
	Header  string     `json:"header"` // none, right, wrong or twice
	Code    codes.Code `json:"code"`
	Message string     `json:"message"`
	Details []string   `json:"details"`
	Answers []string   `json:"answers"`
}

// The kinds of call, and what their callers' metadata is.
const (
	sayHello      = "SayHello"
	repeatHello   = "RepeatHello"
	greetTogether = "GreetTogether"
	greetInTurn   = "GreetInTurn"
	ping          = "Ping"
	details       = "details"

	none  = "none"
	right = "right"
	wrong = "wrong"
	twice = "twice"
)

func kinds() []string {
	return []string{sayHello, repeatHello, greetTogether, greetInTurn, ping, details}
}

// expected is what a caller must see: the rules of greeter.proto, and what the greeter answers.
func expected(kind, header string) call {
	const helloAda = "Hello Ada!"
	want := call{Kind: kind, Header: header}
	switch {
	case kind == ping:
		want.Answers = []string{""}
	case header != right:
		want.Code, want.Message = codes.Unauthenticated, "Access denied!"
	case kind == sayHello:
		want.Answers = []string{helloAda}
	case kind == repeatHello:
		want.Answers = []string{helloAda, helloAda}
	case kind == greetTogether:
		want.Answers = []string{"Hello Ada and Grace!"}
	case kind == greetInTurn:
		want.Answers = []string{helloAda, "Hello Grace!"}
	case kind == details:
		want.Code, want.Message, want.Details = codes.NotFound, "nobody to greet", []string{"try Ada"}
	}
	return want
}

func (c call) String() string {
	return strings.TrimSpace(fmt.Sprintf("%-13s header %-5s  %s %q %s", c.Kind, c.Header, c.Code, c.Message,
		strings.Join(slices.Concat(c.Details, c.Answers), ", ")))
}

func (c call) equal(other call) bool {
	return c.Kind == other.Kind && c.Header == other.Header && c.Code == other.Code && c.Message == other.Message &&
		slices.Equal(c.Details, other.Details) && slices.Equal(c.Answers, other.Answers)
}
