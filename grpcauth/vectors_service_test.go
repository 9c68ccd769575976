package grpcauth_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// caller is the principal that the verifiers of the vectors set.
type caller string

// callRecord is all that the server's side saw of one call.
type callRecord struct {
	decisions []grpcauth.Decision
	asked     []vectorAsked
	expiries  map[int]time.Time // what verifiers reported, by the seconds that their answers state
	handlers  []handlerRecord
	problems  []string
}

// handlerRecord is what a handler saw.
type handlerRecord struct {
	values    map[string]vectorValue
	principal string
	deadline  time.Time
}

// callRecorder collects the record of the call under way.
type callRecorder struct {
	mutex  sync.Mutex
	record callRecord
}

func (r *callRecorder) add(change func(*callRecord)) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	change(&r.record)
}

// take returns what was recorded since the last time.
func (r *callRecorder) take() callRecord {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	taken := r.record
	r.record = callRecord{}
	return taken
}

func (r *callRecorder) decided(_ context.Context, decision grpcauth.Decision) {
	r.add(func(record *callRecord) { record.decisions = append(record.decisions, decision) })
}

// vectorService is one rule as a service, with a method of each kind.
type vectorService struct {
	rule        *vectorRule
	denial      authimpl.Denial
	table       *authimpl.Service
	served      *service
	interceptor *grpcauth.ServerInterceptor
}

// services makes a service of each rule of a file, all recorded by one recorder.
func (f *vectorFile) services(into *callRecorder) map[string]*vectorService {
	made := map[string]*vectorService{}
	names := f.served()
	for i, rule := range slices.Sorted(maps.Keys(f.Rules)) {
		made[rule] = f.service(names[i], f.Rules[rule], into)
	}
	return made
}

// served are the names of the services, in the order of the names of their rules.
func (f *vectorFile) served() []string {
	var names []string
	for range f.Rules {
		names = append(names, "vectors.v1.Service"+strconv.Itoa(len(names)))
	}
	return names
}

func (f *vectorFile) service(name string, rule *vectorRule, into *callRecorder) *vectorService {
	method := authimpl.Method{Public: rule.Public, GuardedBy: rule.GuardedBy, Headers: tableHeaders(rule.Headers)}
	for _, alternative := range rule.AnyOf {
		method.AnyOf = append(method.AnyOf, tableHeaders(alternative.Headers))
	}
	method.Denial = authimpl.Denial{Code: ruleCode(rule.Denial.Code), Message: rule.Denial.Message}
	made := &vectorService{rule: rule, denial: method.Denial, table: tableFor(name, method)}
	made.served = &service{name: name, handled: func(ctx context.Context) { made.observe(ctx, into) }}
	options := []grpcauth.ServerOption{grpcauth.OnDecision(into.decided)}
	if f.MaxValueBytes > 0 {
		options = append(options, grpcauth.MaxValueBytes(f.MaxValueBytes))
	}
	if f.Meddling { // before the recorder, which then reports what has been done to the decision
		options = slices.Insert(options, 0, grpcauth.OnDecision(meddle))
	}
	if f.Excepted {
		options = append(options, grpcauth.DenyUnlisted(f.served()...))
	}
	var verifiers []authimpl.Verifier
	for _, h := range rule.all() {
		if h.verified() {
			verifiers = append(verifiers, verifierFor(h, &script{
				rule: rule, slot: h.slot(), header: h.Name, answers: f.Verifiers[h.slot()], service: name, into: into,
			}))
		}
	}
	made.interceptor = authimpl.NewServerInterceptor(made.table, options, verifiers...)
	return made
}

// meddle is a hook that makes an allowed call, with a principal, of everything that it can reach.
func meddle(ctx context.Context, decision grpcauth.Decision) {
	decision.Reason, decision.Code, decision.Header, decision.Err = grpcauth.Allowed, codes.OK, "", nil
	sent, _ := metadata.FromIncomingContext(ctx)
	for _, key := range []string{"authorization", "x-key", "x-tenant"} {
		sent.Set(key, "good")
		for i, values := 0, metadata.ValueFromIncomingContext(ctx, key); i < len(values); i++ {
			values[i] = "good"
		}
	}
	ctx = grpcauth.WithPrincipal(grpcauth.WithGrantedScopes(ctx, "read"), caller("the hook"))
	_, _ = ctx, decision
}

// ruleCode is a grpcauth.v1.Code.
func ruleCode(name string) codes.Code {
	if name == "" || name == "CODE_UNSPECIFIED" {
		return codes.Unauthenticated
	}
	var code codes.Code
	if err := code.UnmarshalJSON([]byte(strconv.Quote(name[len("CODE_"):]))); err != nil {
		panic(err)
	}
	return code
}

func tableHeaders(stated []vectorHeader) []authimpl.Header {
	var list []authimpl.Header
	for _, h := range stated {
		header := authimpl.Header{
			Name: h.Name, Optional: h.Optional, Equals: h.Equals, In: h.In.Values, Bearer: h.Bearer != nil, Basic: h.Basic != nil,
		}
		switch {
		case h.Present != nil:
			header.Present = h.typ()
		case h.Bearer != nil:
			header.Scopes = h.Bearer.Scopes
		case h.Verify != nil:
			header.Verify, header.Scheme, header.Scopes = h.typ(), h.Verify.Scheme, h.Verify.Scopes
		}
		list = append(list, header)
	}
	return list
}

func (h vectorHeader) typ() rules.Type {
	switch h.Type {
	case "TYPE_INT64":
		return authimpl.Int64
	case "TYPE_UINT64":
		return authimpl.Uint64
	case "TYPE_BOOL":
		return authimpl.Bool
	case "TYPE_BYTES":
		return authimpl.Bytes
	case "TYPE_STRING":
		return authimpl.String
	case "", "TYPE_UNSPECIFIED":
		if marked(h.Name, "") != "" {
			return authimpl.Bytes
		}
		return authimpl.String
	default:
		panic(h.Type)
	}
}

// scopes are those that a header's verifier must report.
func (h vectorHeader) scopes() []string {
	switch {
	case h.Bearer != nil:
		return h.Bearer.Scopes
	case h.Verify != nil:
		return h.Verify.Scopes
	default:
		return nil
	}
}

// observe is every handler of the service.
func (s *vectorService) observe(ctx context.Context, into *callRecorder) {
	seen := handlerRecord{values: map[string]vectorValue{}}
	for _, h := range s.rule.all() {
		if !h.valued() {
			continue
		}
		typ := authimpl.String
		if h.Present != nil {
			typ = h.typ()
		}
		if text, ok := readTyped(ctx, s.table, h.Name, typ); ok {
			seen.values[h.Name] = marked(h.Name, text)
		}
	}
	principal, _ := grpcauth.Principal[caller](ctx)
	seen.principal = string(principal)
	seen.deadline, _ = ctx.Deadline()
	into.add(func(record *callRecord) { record.handlers = append(record.handlers, seen) })
}

func readTyped(ctx context.Context, table *authimpl.Service, header string, typ rules.Type) (string, bool) {
	switch typ {
	case authimpl.Int64:
		value, ok := authimpl.FromContext[int64](ctx, table, header)
		return strconv.FormatInt(value, 10), ok
	case authimpl.Uint64:
		value, ok := authimpl.FromContext[uint64](ctx, table, header)
		return strconv.FormatUint(value, 10), ok
	case authimpl.Bool:
		value, ok := authimpl.FromContext[bool](ctx, table, header)
		return strconv.FormatBool(value), ok
	case authimpl.Bytes:
		value, ok := authimpl.FromContext[[]byte](ctx, table, header)
		return string(value), ok
	default:
		return authimpl.FromContext[string](ctx, table, header)
	}
}

// script is a verifier that answers as the file says.
type script struct {
	rule    *vectorRule
	service string
	slot    string
	header  string
	answers map[string]vectorAnswer
	into    *callRecorder
}

// verifierFor is what generated code makes of an application's verifier.
func verifierFor(h vectorHeader, s *script) authimpl.Verifier {
	switch {
	case h.Bearer != nil:
		return authimpl.VerifyBearer(h.Name, func(ctx context.Context, call grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
			return s.verify(ctx, call, token.Reveal())
		})
	case h.Basic != nil:
		return authimpl.VerifyBasic(h.Name, func(ctx context.Context, call grpcauth.Call, username string, password grpcauth.Secret) (context.Context, error) {
			return s.verify(ctx, call, username+" / "+password.Reveal())
		})
	}
	switch h.typ() {
	case authimpl.Int64:
		return authimpl.VerifyValue(h.Name, h.Verify.Scheme, func(ctx context.Context, call grpcauth.Call, value int64) (context.Context, error) {
			return s.verify(ctx, call, strconv.FormatInt(value, 10))
		})
	case authimpl.Uint64:
		return authimpl.VerifyValue(h.Name, h.Verify.Scheme, func(ctx context.Context, call grpcauth.Call, value uint64) (context.Context, error) {
			return s.verify(ctx, call, strconv.FormatUint(value, 10))
		})
	case authimpl.Bool:
		return authimpl.VerifyValue(h.Name, h.Verify.Scheme, func(ctx context.Context, call grpcauth.Call, value bool) (context.Context, error) {
			return s.verify(ctx, call, strconv.FormatBool(value))
		})
	default:
		return authimpl.VerifyValue(h.Name, h.Verify.Scheme, func(ctx context.Context, call grpcauth.Call, value grpcauth.Secret) (context.Context, error) {
			return s.verify(ctx, call, value.Reveal())
		})
	}
}

// verify records the question and gives the answer.
func (s *script) verify(ctx context.Context, call grpcauth.Call, text string) (context.Context, error) {
	credential := marked(s.header, text)
	principal, _ := grpcauth.Principal[caller](ctx)
	s.into.add(func(record *callRecord) {
		record.asked = append(record.asked, vectorAsked{s.slot, credential, string(principal)})
		if call.Header != s.header || !s.mayAsk(call) {
			record.problems = append(record.problems, fmt.Sprintf("the verifier of %q was told %+v", s.slot, call))
		}
	})
	answer, ok := s.answers[string(credential)]
	if !ok {
		answer, ok = s.answers["*"]
	}
	if !ok {
		answer = vectorAnswer{Error: "unknown credential"}
	}
	return answer.give(ctx, call, s.into)
}

// mayAsk is true if the rule has this header with these scopes, in a method of this service.
func (s *script) mayAsk(call grpcauth.Call) bool {
	method, ok := strings.CutPrefix(call.FullMethod, "/"+s.service+"/")
	return ok && slices.Contains(kinds, kind(method)) && slices.ContainsFunc(s.rule.all(), func(h vectorHeader) bool {
		return h.slot() == s.slot && slices.Equal(h.scopes(), call.Scopes)
	})
}

func (a vectorAnswer) give(ctx context.Context, call grpcauth.Call, into *callRecorder) (context.Context, error) {
	if a.EditsScopes {
		for i := range call.Scopes {
			call.Scopes[i] = "edited"
		}
	}
	if a.WaitsForTheEnd {
		<-ctx.Done()
	}
	if a.Panic != "" {
		panic(a.Panic)
	}
	return a.context(ctx, into), a.err()
}

// context is what the verifier returns beside its error.
func (a vectorAnswer) context(ctx context.Context, into *callRecorder) context.Context {
	switch a.Context {
	case "":
	case "nil":
		return nil
	case "background":
		ctx = context.Background()
	case "another call's":
		ctx = anothers()
	default:
		panic("unknown context: " + a.Context)
	}
	if a.Principal != "" {
		ctx = grpcauth.WithPrincipal(ctx, caller(a.Principal))
	}
	if a.Scopes != nil {
		ctx = grpcauth.WithGrantedScopes(ctx, a.Scopes...)
	}
	if a.ExpiresInSeconds == nil {
		return ctx
	}
	expiry := time.Now().Add(time.Duration(*a.ExpiresInSeconds) * time.Second)
	into.add(func(record *callRecord) {
		if record.expiries == nil {
			record.expiries = map[int]time.Time{}
		}
		record.expiries[*a.ExpiresInSeconds] = expiry
	})
	return grpcauth.WithExpiry(ctx, expiry)
}

// err is the verifier's error, nil for a credential that it accepts.
func (a vectorAnswer) err() error {
	var err error
	switch {
	case a.Error != "":
		err = errors.New(a.Error)
	case a.Deny != nil:
		err = grpcauth.Deny(a.Deny.Code, a.Deny.Message)
	case a.Status != nil && a.Status.Code == codes.OK:
		err = saysOKError(a.Status.Message)
	case a.Status != nil: // with details, which must not travel either
		detailed, failed := status.New(a.Status.Code, a.Status.Message).WithDetails(wrapperspb.String(a.Status.Message))
		if failed != nil {
			panic(failed)
		}
		err = detailed.Err()
	case a.Unavailable != "":
		err = grpcauth.Unavailable(errors.New(a.Unavailable))
	case a.TypedNil == "error":
		err = (*typedNilError)(nil)
	case a.TypedNil == "status":
		err = (*typedNilStatusError)(nil)
	}
	if err != nil && a.WrappedIn != "" {
		return fmt.Errorf("%s: %w", a.WrappedIn, err)
	}
	return err
}

// saysOKError is an error whose status says OK.
type saysOKError string

func (e saysOKError) Error() string              { return string(e) }
func (e saysOKError) GRPCStatus() *status.Status { return status.New(codes.OK, string(e)) }

// typedNilError and typedNilStatusError have nil pointers that are no nil errors.
type (
	typedNilError       struct{ text string }
	typedNilStatusError struct{ code codes.Code }
)

func (e *typedNilError) Error() string {
	if e == nil {
		return "typed nil"
	}
	return e.text
}

func (e *typedNilStatusError) Error() string { return "typed nil" }

// GRPCStatus panics for nil, as methods do.
func (e *typedNilStatusError) GRPCStatus() *status.Status { return status.New(e.code, "") }

// anothers is the context of another call of the same rule's service, as its handler got it.
var anothers = sync.OnceValue(func() context.Context {
	var kept context.Context
	verifier := authimpl.VerifyBearer("authorization",
		func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
			kept = ctx //nolint:fatcontext // it is kept beyond its call on purpose
			return grpcauth.WithGrantedScopes(ctx, "read", "write"), nil
		})
	method := authimpl.Method{Headers: []authimpl.Header{{Name: "authorization", Bearer: true}}, Denial: refusal}
	table := tableFor("vectors.v1.Another", method)
	ctx := metadata.NewIncomingContext(context.Background(), metadata.Pairs("authorization", "Bearer t"))
	if _, err := authimpl.NewServerInterceptor(table, nil, verifier).Authorize(ctx, table.Methods[0].FullMethod); err != nil {
		panic(err)
	}
	return grpcauth.WithPrincipal(grpcauth.WithGrantedScopes(kept, "read", "write"), caller("another call's"))
})
