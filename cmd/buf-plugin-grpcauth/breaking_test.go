package main

import (
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// Rules are compared side by side, so what one of them adds for itself must not land in what all read.
func TestComparingLeavesRulesAlone(t *testing.T) {
	t.Parallel()
	const room = 2
	shared := make([]*policy.Header, 1, room)
	shared[0] = anyValue("x-a")
	fewer := &policy.Method{Access: policy.Restricted, Headers: shared}
	more := &policy.Method{Access: policy.Restricted, Headers: []*policy.Header{anyValue("x-a"), anyValue("x-b")}}
	if !admitsNoMore(fewer, more) {
		t.Error("a header that may be missing makes the rule stricter")
	}
	if shared[:room][1] != nil {
		t.Error("the other rule's header stands in this one's list")
	}
}
