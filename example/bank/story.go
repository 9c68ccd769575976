package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// callTimeout bounds each call.
const callTimeout = 10 * time.Second

// What the bank knows about a call.
const (
	allowed  = "allowed"
	notAsked = "not asked" // nothing was sent, or nothing but a message of a stream that is open
)

// scene is one call of the story, and how it must end.
type scene struct {
	title string
	call  func(context.Context) (answer string, err error)
	want  codes.Code
	knows string // part of what the bank knows about it
}

// story shows calls and keeps what is not as it should be.
type story struct {
	ctx       context.Context //nolint:containedctx // lives as long as run
	out       io.Writer
	decisions *decisions
	err       error
}

func (s *story) chapter(title string) { s.printf("\n%s\n", title) }

// tell makes calls in their order.
func (s *story) tell(scenes ...scene) {
	for _, scene := range scenes {
		s.decisions.forget()
		ctx, cancel := context.WithTimeout(s.ctx, callTimeout)
		answer, err := scene.call(ctx)
		cancel()
		got, knows := status.Convert(err), s.decisions.latest()
		if err != nil {
			answer = got.Message()
		}
		s.printf("  %-54s %-16s %s  [%s]\n", scene.title, got.Code(), answer, shortened(knows))
		if got.Code() != scene.want || !strings.Contains(knows, scene.knows) {
			s.failf("%s: got %s [%s], want %s [%s]", scene.title, got.Code(), knows, scene.want, scene.knows)
		}
	}
}

// shortened keeps a line readable.
func shortened(text string) string {
	const most = 110
	if len(text) <= most {
		return text
	}
	return text[:most] + "..."
}

func (s *story) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(s.out, format, args...); err != nil {
		s.failf("print: %w", err)
	}
}

func (s *story) failf(format string, args ...any) {
	s.err = errors.Join(s.err, fmt.Errorf(format, args...))
}

// decisions remembers the bank's latest decision, where a real one would log it (grpcauth.LogDecisions).
type decisions struct {
	mu   sync.Mutex
	last string
}

func (d *decisions) note(_ context.Context, decision grpcauth.Decision) {
	text := decision.Reason.String()
	if decision.Header != "" {
		text += " " + decision.Header
	}
	if decision.Err != nil {
		text += ": " + decision.Err.Error()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = text
}

func (d *decisions) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = notAsked
}

func (d *decisions) latest() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}
