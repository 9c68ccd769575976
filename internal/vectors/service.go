package vectors

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// Service is one rule as a service, with a method of each kind.
type Service struct {
	Name        string // its full name
	Interceptor *grpcauth.ServerInterceptor

	rule   *ruleInForce
	denial authimpl.Denial
	table  *authimpl.Service
	into   *recorder
}

// Services makes a service of each rule of a file. One recorder records them all, so one call at a time.
func (f *File) Services() map[string]*Service {
	into := &recorder{}
	made := map[string]*Service{}
	names := f.served()
	for i, rule := range slices.Sorted(maps.Keys(f.Rules)) {
		made[rule] = f.service(names[i], f.Rules[rule], into)
	}
	return made
}

// served are the names of the services, in the order of the names of their rules.
func (f *File) served() []string {
	var names []string
	for range f.Rules {
		names = append(names, "vectors.v1.Service"+strconv.Itoa(len(names)))
	}
	return names
}

func (f *File) service(name string, rule *ruleInForce, into *recorder) *Service {
	method := authimpl.Method{Public: rule.Public, GuardedBy: rule.GuardedBy, Headers: tableHeaders(rule.Headers)}
	for _, alternative := range rule.AnyOf {
		method.AnyOf = append(method.AnyOf, tableHeaders(alternative.Headers))
	}
	method.Denial = authimpl.Denial{Code: ruleCode(rule.Denial.Code), Message: rule.Denial.Message}
	made := &Service{Name: name, rule: rule, denial: method.Denial, table: Table(name, method), into: into}
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
	made.Interceptor = authimpl.NewServerInterceptor(made.table, options, verifiers...)
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

// Enter is what every handler of the service does.
func (s *Service) Enter(ctx context.Context) {
	seen := handlerRecord{values: map[string]Value{}}
	for _, h := range s.rule.all() {
		if !h.valued() {
			continue
		}
		read := authimpl.Header{Present: authimpl.String}
		if h.Present != nil {
			read = h.typed()
		}
		if text, ok := readTyped(ctx, s.table, h.Name, read); ok {
			seen.values[h.Name] = marked(h.Name, text)
		}
	}
	principal, _ := grpcauth.Principal[caller](ctx)
	seen.principal = string(principal)
	seen.deadline, _ = ctx.Deadline()
	s.into.add(func(record *callRecord) { record.handlers = append(record.handlers, seen) })
}

func readTyped(ctx context.Context, table *authimpl.Service, header string, typed authimpl.Header) (string, bool) {
	switch typed.Present {
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
