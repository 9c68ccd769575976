package main

import (
	"fmt"
	"io"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/doors"
)

type report struct {
	out            io.Writer
	passed, failed int
}

// door counts every call that was to be made at a door, also one that was not made.
func (r *report) door(d *door, seen []sighting) {
	made := map[attempt]cases.Call{}
	for i := range seen {
		if s := &seen[i]; s.Door == d.name {
			made[attempt{s.Protocol, s.Kind, s.Header}] = s.Call
		}
	}
	for _, protocol := range []string{doors.Connect, doors.GRPCWeb} {
		for _, kind := range []string{cases.SayHello, cases.RepeatHello, cases.Ping, cases.Details} {
			for _, header := range []string{cases.None, cases.Right, cases.Wrong} {
				one := attempt{protocol, kind, header}
				got, ok := made[one]
				if !ok {
					got = cases.Call{Kind: kind, Header: header, Message: "was not called"}
				}
				r.call(d, one, got)
			}
		}
	}
	r.line(d, "preflights", d.preflights.complaint(d.preflight), "have no credentials, and are "+d.preflight)
}

// call compares what the page saw, and whether the handler ran.
func (r *report) call(d *door, one attempt, got cases.Call) {
	should := cases.Expected(one.kind, one.header)
	want, reaches := d.sees(one.protocol, should)
	runs := 0
	if reaches && should.Code != codes.Unauthenticated {
		runs = 1
	}
	complaint := ""
	if !got.Equal(want) {
		complaint = "want " + want.String()
	} else if ran := d.runs.of(one); ran != runs {
		complaint = fmt.Sprintf("the handler ran %d times, want %d", ran, runs)
	}
	r.line(d, one.protocol, complaint, got.String())
}

func (r *report) line(d *door, protocol, complaint, seen string) {
	verdict, separator := "ok  ", ""
	if complaint != "" {
		verdict, separator = "FAIL", "; "
		r.failed++
	} else {
		r.passed++
	}
	//nolint:errcheck // standard output
	fmt.Fprintf(r.out, "%s Chromium, %-10s %-18s %s%s%s\n", verdict, protocol, d.name, seen, separator, complaint)
}
