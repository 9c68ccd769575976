package fuzz

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/oracle"
)

const serviceName = "fuzz.v1.Fuzz"

// began is what expiries count from.
var began = time.Now()

// trail is the principal that verifiers set: who has accepted this call so far.
type trail string

// door is a rule in force, with verifiers that keep a record.
type door struct {
	rule        *oracle.Rule
	table       *authimpl.Service
	answer      func(slot, credential string) oracle.Answer
	interceptor *grpcauth.ServerInterceptor

	mutex     sync.Mutex // a connection has several calls at once
	asked     []oracle.Question
	decisions []grpcauth.Decision
}

// newDoor puts the rule on all methods of those names.
func newDoor(rule *oracle.Rule, answer func(slot, credential string) oracle.Answer, methods ...string) *door {
	made := &door{rule: rule, answer: answer, table: &authimpl.Service{Name: serviceName}}
	for _, name := range methods {
		made.table.Methods = append(made.table.Methods, methodOf(rule, "/"+serviceName+"/"+name))
	}
	var verifiers []authimpl.Verifier
	for _, h := range rule.All() {
		if h.Verified() {
			verifiers = append(verifiers, made.verifier(&h))
		}
	}
	made.interceptor = authimpl.NewServerInterceptor(made.table, []grpcauth.ServerOption{
		grpcauth.MaxValueBytes(rule.MaxBytes),
		grpcauth.OnDecision(func(_ context.Context, decision grpcauth.Decision) {
			made.mutex.Lock()
			defer made.mutex.Unlock()
			made.decisions = append(made.decisions, decision)
		}),
	}, verifiers...)
	return made
}

func methodOf(rule *oracle.Rule, fullMethod string) authimpl.Method {
	method := authimpl.Method{
		FullMethod: fullMethod,
		Public:     rule.Public,
		GuardedBy:  rule.GuardedBy,
		Headers:    tableOf(rule.Headers),
		Denial:     authimpl.Denial{Code: codes.Code(rule.Code), Message: rule.Message},
	}
	for _, alternative := range rule.AnyOf {
		method.AnyOf = append(method.AnyOf, tableOf(alternative))
	}
	return method
}

func tableOf(headers []oracle.Header) []authimpl.Header {
	var table []authimpl.Header
	for _, h := range headers {
		stated := authimpl.Header{Name: h.Name, Optional: h.Optional, Scheme: h.Scheme, Scopes: h.Scopes}
		switch h.Check {
		case oracle.Equals:
			stated.Equals = h.Literals[0]
		case oracle.In:
			stated.In = h.Literals
		case oracle.Bearer:
			stated.Bearer = true
		case oracle.Basic:
			stated.Basic = true
		case oracle.Present:
			setType(&stated.Present, h.Type)
		case oracle.Verify:
			setType(&stated.Verify, h.Type)
		}
		table = append(table, stated)
	}
	return table
}

// setType writes a type through a pointer, because package authimpl has no name for the type of types.
func setType[T ~uint8](to *T, typ oracle.Type) {
	*to = map[oracle.Type]T{
		oracle.String: T(authimpl.String), oracle.Int64: T(authimpl.Int64), oracle.Uint64: T(authimpl.Uint64),
		oracle.Bool: T(authimpl.Bool), oracle.Bytes: T(authimpl.Bytes),
	}[typ]
}

// verifier is what generated code makes of an application's verifier.
func (d *door) verifier(h *oracle.Header) authimpl.Verifier {
	slot := h.Slot()
	secret := func(ctx context.Context, call grpcauth.Call, secret grpcauth.Secret) (context.Context, error) {
		return d.verify(ctx, slot, call, secret.Reveal())
	}
	switch {
	case h.Check == oracle.Bearer:
		return authimpl.VerifyBearer(h.Name, secret)
	case h.Check == oracle.Basic:
		return authimpl.VerifyBasic(h.Name,
			func(ctx context.Context, call grpcauth.Call, user string, password grpcauth.Secret) (context.Context, error) {
				return d.verify(ctx, slot, call, user+" / "+password.Reveal())
			})
	case h.Type == oracle.Int64:
		return verifierOf(h, func(value int64) string { return strconv.FormatInt(value, 10) }, d.verify)
	case h.Type == oracle.Uint64:
		return verifierOf(h, func(value uint64) string { return strconv.FormatUint(value, 10) }, d.verify)
	case h.Type == oracle.Bool:
		return verifierOf(h, strconv.FormatBool, d.verify)
	default:
		return authimpl.VerifyValue(h.Name, h.Scheme, secret)
	}
}

func verifierOf[T authimpl.Verifiable](
	h *oracle.Header, text func(T) string,
	verify func(context.Context, string, grpcauth.Call, string) (context.Context, error),
) authimpl.Verifier {
	slot := h.Slot()
	return authimpl.VerifyValue(h.Name, h.Scheme,
		func(ctx context.Context, call grpcauth.Call, value T) (context.Context, error) {
			return verify(ctx, slot, call, text(value))
		})
}

// verify keeps a record of the question, and does what the table says.
func (d *door) verify(ctx context.Context, slot string, call grpcauth.Call, credential string) (context.Context, error) {
	before, _ := grpcauth.Principal[trail](ctx)
	d.mutex.Lock()
	d.asked = append(d.asked, oracle.Question{
		Slot: slot, Credential: credential, Scopes: strings.Join(call.Scopes, " "), Before: string(before),
	})
	d.mutex.Unlock()
	for i := range call.Scopes {
		call.Scopes[i] = "edited" // of a copy
	}
	answer := d.answer(slot, credential)
	admitted := grpcauth.WithPrincipal(ctx, before+trail(oracle.Step(slot, credential)))
	if !answer.Silent {
		admitted = grpcauth.WithGrantedScopes(admitted, answer.Grants...)
	}
	if answer.Hours != 0 {
		admitted = grpcauth.WithExpiry(admitted, began.Add(time.Duration(answer.Hours)*time.Hour))
	}
	switch answer.Act {
	case oracle.Panics:
		panic(answer.Message)
	case oracle.ReturnsNil:
		return nil, nil //nolint:nilnil // that is the bug
	case oracle.ReturnsRoot:
		return context.Background(), nil
	case oracle.ReturnsEnded:
		ended, cancel := context.WithCancel(admitted)
		cancel()
		return ended, nil
	}
	return admitted, failure(&answer)
}

// failure is the error of an act that has one.
func failure(answer *oracle.Answer) error {
	var err error
	switch answer.Act {
	case oracle.Fails, oracle.FailsWithNoted:
		err = errors.New(canary)
	case oracle.Denies:
		err = grpcauth.Deny(codes.Code(answer.Code), answer.Message)
	case oracle.Reports:
		err = statusError{code: codes.Code(answer.Code)}
	case oracle.CannotTell:
		err = grpcauth.Unavailable(errors.New(canary))
	}
	if err != nil && answer.Wrapped {
		return fmt.Errorf(canary+": %w", err)
	}
	return err
}

// canary must not be in anything that a caller reads.
const canary = "a text that stays on the server"

// statusError carries a status, OK included, which grpc's own errors cannot.
type statusError struct{ code codes.Code }

func (e statusError) Error() string              { return canary }
func (e statusError) GRPCStatus() *status.Status { return status.New(e.code, canary) }
