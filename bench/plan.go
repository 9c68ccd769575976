package main

import (
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/calls"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/checks"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/clients"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/refusals"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/tools"
)

// plan is how many rounds each kind of group takes. Short samples in many rounds bring what is compared close
// together in time.
type plan struct {
	checks, calls, small, large, plugins, compilation int
}

// With each figure of a round from a sample of so long, or of so many calls.
const (
	checkSample = time.Millisecond
	callsSample = 50 // calls
)

// long is for figures, brief shows that they can be taken.
//
//nolint:mnd // the numbers are the plan
func long() plan {
	return plan{checks: 301, calls: 301, small: 101, large: 21, plugins: 5, compilation: 15}
}

//nolint:mnd // as long
func brief() plan {
	return plan{checks: 21, calls: 11, small: 11, large: 3, plugins: 1, compilation: 3}
}

func (plan) with(rounds int) plan { return plan{rounds, rounds, rounds, rounds, rounds, rounds} }

// source is a group that is not prepared yet.
type source struct {
	name    string // begins the names of its variants
	prepare func() (*measure.Group, error)
}

// prepare returns all groups. Clean up when they are measured.
func prepare(planned plan) (sources []source, cleanUp func()) {
	var workshop *tools.Workshop // made by the first group that needs it
	open := func() (err error) {
		if workshop == nil {
			workshop, err = tools.NewWorkshop()
		}
		return err
	}
	cleanUp = func() {
		if workshop != nil {
			workshop.Close()
		}
	}
	of := func(group func(checks.Plan) (*measure.Group, error)) func() (*measure.Group, error) {
		return func() (*measure.Group, error) {
			return group(checks.Plan{Rounds: planned.checks, Sample: checkSample})
		}
	}
	return []source{
		{"check", of(checks.One)},
		{"headers", of(checks.Headers)},
		{"methods", of(checks.Methods)},
		{"unconcerned", of(checks.Unconcerned)},
		{"stream", of(checks.Streams)},
		{"client", func() (*measure.Group, error) {
			return clients.Interceptors(planned.checks, checkSample), nil
		}},
		{"calls", func() (*measure.Group, error) { return calls.Group(planned.calls, callsSample) }},
		{"client calls", func() (*measure.Group, error) { return clients.Calls(planned.calls, callsSample) }},
		{"refused small", func() (*measure.Group, error) { return refusals.Small(planned.small) }},
		{"refused", func() (*measure.Group, error) { return refusals.Large(planned.large) }},
		{"plugin", func() (*measure.Group, error) {
			if err := open(); err != nil {
				return nil, err
			}
			return workshop.Plugins(planned.plugins)
		}},
		{"compile", func() (*measure.Group, error) {
			if err := open(); err != nil {
				return nil, err
			}
			return workshop.Compilation(planned.compilation)
		}},
	}, cleanUp
}
