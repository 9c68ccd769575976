package main

import (
	"context"
	"io"
	"slices"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/doors"
)

// expected are the calls of a peer that sees what it should.
func expected() []cases.Call {
	var all []cases.Call
	for _, kind := range cases.Kinds() {
		for _, header := range []string{cases.None, cases.Right} {
			all = append(all, cases.Expected(kind, header))
		}
	}
	return all
}

// Each thing that a caller can see instead is noticed, and so is a call that was not made.
func TestCallsThatAreNotAsTheyShouldBe(t *testing.T) {
	t.Parallel()
	for what, change := range map[string]func(*cases.Call){
		"code":    func(c *cases.Call) { c.Code++ },
		"message": func(c *cases.Call) { c.Message += "!" },
		"details": func(c *cases.Call) { c.Details = append(slices.Clone(c.Details), "more") },
		"answers": func(c *cases.Call) { c.Answers = append(slices.Clone(c.Answers), "more") },
		"header":  func(c *cases.Call) { c.Header = cases.Wrong },
		"kind":    func(c *cases.Call) { c.Kind = "Other" },
		"nothing": func(*cases.Call) {},
	} {
		for i := range expected() {
			seen := expected()
			change(&seen[i])
			r := &report{out: io.Discard}
			r.compare("", []string{cases.None, cases.Right}, seen, nil)
			failed := 1
			if what == "nothing" {
				failed = 0
			}
			if r.failed != failed || r.passed != len(seen)-failed {
				t.Errorf("%s of %v: %d passed, %d failed", what, seen[i], r.passed, r.failed)
			}
		}
	}
}

// A peer's word that it was refused, or answered, is not all: handlers are counted.
func TestHandlersThatDidNotRun(t *testing.T) {
	t.Parallel()
	invents := peer{headers: []string{cases.None, cases.Right}, calls: func(
		context.Context, string, string, []string,
	) ([]cases.Call, error) {
		return expected(), nil
	}}
	for _, door := range doors.All() {
		r := &report{out: io.Discard}
		r.theirClient(t.Context(), invents, door, doors.GRPC)
		if r.failed != 1 || r.passed != len(expected()) {
			t.Errorf("%s: %d passed, %d failed", door.Name, r.passed, r.failed)
		}
	}
}
