package main

import (
	"context"
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

// theirClient tries a peer's client against our server, and sees that handlers ran for no other calls than those
// that were to be let through.
func (r *report) theirClient(ctx context.Context, p peer, door doors.Door, protocol string) {
	direction := fmt.Sprintf("%s -> Go %s, %s", p.name, door.Name, protocol)
	server, err := door.Open(ctx)
	if err != nil {
		r.compare(direction, p.headers, nil, err)
		return
	}
	defer server.Stop()
	seen, err := p.calls(ctx, server.Address, protocol, p.headers)
	r.compare(direction, p.headers, seen, err)

	want := 0
	for _, call := range seen {
		if cases.Expected(call.Kind, call.Header).Code != codes.Unauthenticated {
			want++
		}
	}
	r.printf(server.Handled() == want, direction, "%d calls reached a handler; %d should", server.Handled(), want)
}

// ourClient tries a client of ours against a peer's server.
func (r *report) ourClient(ctx context.Context, client goClient, p peer, protocol string) {
	direction := fmt.Sprintf("Go %s -> %s, %s", client.name, p.name, protocol)
	headers := []string{cases.None, cases.Right}
	address, stop, err := p.serve(ctx)
	if err != nil {
		r.compare(direction, headers, nil, err)
		return
	}
	defer stop()
	for _, header := range headers {
		seen, err := client.calls(ctx, address, protocol, header)
		r.compare(direction, []string{header}, seen, err)
	}
}

// compare counts every call that was to be made, also one that was not made.
func (r *report) compare(direction string, headers []string, seen []cases.Call, err error) {
	made := map[[2]string]cases.Call{}
	for _, c := range seen {
		made[[2]string{c.Kind, c.Header}] = c
	}
	for _, kind := range cases.Kinds() {
		for _, header := range headers {
			want := cases.Expected(kind, header)
			got, ok := made[[2]string{kind, header}]
			switch {
			case !ok:
				r.printf(false, direction, "%-13s header %-5s  was not called: %v", kind, header, err)
			case !got.Equal(want):
				r.printf(false, direction, "%s; want %s", got, want)
			default:
				r.printf(true, direction, "%s", got)
			}
		}
	}
}

func (r *report) printf(passed bool, direction, format string, arguments ...any) {
	verdict := "ok"
	if passed {
		r.passed++
	} else {
		verdict = "FAIL"
		r.failed++
	}
	//nolint:errcheck // standard output
	fmt.Fprintf(r.out, "%-4s %-52s %s\n", verdict, direction, fmt.Sprintf(format, arguments...))
}
