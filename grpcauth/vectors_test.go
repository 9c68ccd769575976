package grpcauth_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// TestVectors makes the calls of testdata/vectors with each installation, on each kind of connection, to a
// method of each kind, and compares all that can be seen of them at both ends.
func TestVectors(t *testing.T) {
	t.Parallel()
	runVectors(t, wires, func(*vectorCase) bool { return true })
}

func TestT9_LevelsInVectors(t *testing.T)                     { runThreat(t, "T9") }
func TestT10_NothingOpensInVectors(t *testing.T)              { runThreat(t, "T10") }
func TestT11_RepeatedHeadersInVectors(t *testing.T)           { runThreat(t, "T11") }
func TestT12_KeysInOtherCaseInVectors(t *testing.T)           { runThreat(t, "T12") }
func TestT13_ReservedNamesInVectors(t *testing.T)             { runThreat(t, "T13") }
func TestT14_EmptyValuesInVectors(t *testing.T)               { runThreat(t, "T14") }
func TestT15_SchemesInVectors(t *testing.T)                   { runThreat(t, "T15") }
func TestT16_OptionalHeadersInVectors(t *testing.T)           { runThreat(t, "T16") }
func TestT17_BinaryValuesInVectors(t *testing.T)              { runThreat(t, "T17") }
func TestT18_BasicCredentialsInVectors(t *testing.T)          { runThreat(t, "T18") }
func TestT19_TypedValuesInVectors(t *testing.T)               { runThreat(t, "T19") }
func TestT20_VerifiersContractInVectors(t *testing.T)         { runThreat(t, "T20") }
func TestT21_PanicsOfVerifiersInVectors(t *testing.T)         { runThreat(t, "T21") }
func TestT22_LongValuesInVectors(t *testing.T)                { runThreat(t, "T22") }
func TestT23_ErrorTextsStayOnTheServerInVectors(t *testing.T) { runThreat(t, "T23") }
func TestT24_AlternativesDoNotLeakInVectors(t *testing.T)     { runThreat(t, "T24") }
func TestT43_ScopesInVectors(t *testing.T)                    { runThreat(t, "T43") }

// runThreat runs the cases that answer a threat, over TLS. There must be enough of them.
func runThreat(t *testing.T, id string) {
	t.Helper()
	t.Parallel()
	answers := func(c *vectorCase) bool { return slices.Contains(c.Threats, id) }
	if count := runVectors(t, wires[:1], answers); count < enoughOfAThreat {
		t.Errorf("%d cases answer %s, want %d or more", count, id, enoughOfAThreat)
	}
}

// The least that the files must hold.
const (
	enoughCases     = 500
	enoughOfAThreat = 10
)

// TestVectorsAreEnough counts them, those included that no network carries.
func TestVectorsAreEnough(t *testing.T) {
	t.Parallel()
	files, err := loadVectors()
	if err != nil {
		t.Fatal(err)
	}
	total, answers := 0, map[string]int{}
	for _, file := range files {
		total += len(file.Cases)
		for _, c := range file.Cases {
			for _, threat := range c.Threats {
				answers[threat]++
			}
		}
	}
	if total < enoughCases {
		t.Errorf("%d cases, want %d or more", total, enoughCases)
	}
	for number := 9; number <= 24; number++ {
		if id := fmt.Sprintf("T%d", number); answers[id] < enoughOfAThreat {
			t.Errorf("%d cases answer %s, want %d or more", answers[id], id, enoughOfAThreat)
		}
	}
	t.Logf("%d cases: %v", total, answers)
}

// runVectors runs the cases that are chosen and counts them.
func runVectors(t *testing.T, wires []wire, chosen func(*vectorCase) bool) int {
	t.Helper()
	files, err := loadVectors()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		var cases []*vectorCase
		for _, c := range file.Cases {
			if chosen(c) {
				cases = append(cases, c)
			}
		}
		if len(cases) == 0 {
			continue
		}
		count += len(cases)
		t.Run(file.theme, func(t *testing.T) {
			t.Parallel()
			file.runInvalid(t, cases)
			t.Run("Authorize", func(t *testing.T) {
				t.Parallel()
				runCases(t, cases, file.inProcess())
			})
			for _, installation := range installations {
				for _, wire := range wires {
					t.Run(installation.name+"/"+wire.name, func(t *testing.T) {
						t.Parallel()
						runCases(t, cases, file.serve(t, installation, wire))
					})
				}
			}
		})
	}
	return count
}

func runCases(t *testing.T, cases []*vectorCase, served *vectorServer) {
	t.Helper()
	for _, c := range cases {
		if !served.takes(c) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			for _, kind := range served.kinds {
				service := served.services[c.Rule]
				ctx, cancel := context.WithTimeout(t.Context(), c.lasts())
				answer := served.send(ctx, t, service, kind, c)
				cancel()
				for _, difference := range service.compare(c, kind, answer, served.recorder.take()) {
					t.Errorf("%s: %s", kind, difference)
				}
			}
		})
	}
}

// calls is true for a case that makes a call.
func (c *vectorCase) calls() bool { return c.Invalid == "" }

// lasts is how long the call may take: longer than any expiry of a verifier's, so that these can be told
// from the call's own deadline.
func (c *vectorCase) lasts() time.Duration {
	if c.LastsSeconds > 0 {
		return time.Duration(c.LastsSeconds * float64(time.Second))
	}
	return time.Hour
}

// vectorServer serves the rules of one file.
type vectorServer struct {
	services map[string]*vectorService
	kinds    []kind
	recorder *callRecorder
	takes    func(*vectorCase) bool
	send     func(ctx context.Context, t *testing.T, s *vectorService, kind kind, c *vectorCase) callAnswer
}

// callAnswer is what a caller got.
type callAnswer struct {
	code    codes.Code
	message string
	details int
	reset   bool // by the transport, without an answer
}

func answerOf(err error) callAnswer {
	got := status.Convert(err)
	return callAnswer{code: got.Code(), message: got.Message(), details: len(got.Details())}
}

// installation is a way to put the checks of several services into a server.
type installation struct {
	name    string
	install func(services []*vectorService, options []grpc.ServerOption) *grpc.Server
}

var installations = []installation{
	{"interceptors", func(services []*vectorService, options []grpc.ServerOption) *grpc.Server {
		for _, s := range services {
			options = append(options, s.interceptor.ServerOptions()...)
		}
		return grpc.NewServer(options...)
	}},
	{"guard", func(_ []*vectorService, options []grpc.ServerOption) *grpc.Server {
		return grpc.NewServer(options...)
	}},
	{"merged", func(services []*vectorService, options []grpc.ServerOption) *grpc.Server {
		list := []*grpcauth.ServerInterceptor{neverAsked()}
		for _, s := range services {
			list = append(list, s.interceptor)
		}
		return grpc.NewServer(append(options, grpcauth.MergeServerInterceptors(list...).ServerOptions()...)...)
	}},
}

// neverAsked is the check of a second service with rules for the same headers, which nobody calls.
func neverAsked() *grpcauth.ServerInterceptor {
	table := tableFor("vectors.v1.Never", authimpl.Method{
		Headers: []authimpl.Header{{Name: "authorization", Bearer: true}, {Name: "x-key", Equals: "never"}},
		Denial:  authimpl.Denial{Code: codes.DataLoss, Message: "another service's denial"},
	})
	panics := func(context.Context, grpcauth.Call, grpcauth.Secret) (context.Context, error) {
		panic("another service's verifier was asked")
	}
	hook := func(context.Context, grpcauth.Decision) { panic("another service's decision") }
	return authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{grpcauth.OnDecision(hook)},
		authimpl.VerifyBearer("authorization", panics))
}

// serve serves the rules of a file with the checks installed.
func (f *vectorFile) serve(t *testing.T, installation installation, wire wire) *vectorServer {
	t.Helper()
	made := &vectorServer{recorder: &callRecorder{}, kinds: kinds, takes: func(c *vectorCase) bool { return c.calls() && c.By != byInProcess }}
	made.services = f.services(made.recorder)
	services := slices.Collect(maps.Values(made.services))
	server := installation.install(services, wire.options())
	for _, s := range services {
		var registrar grpc.ServiceRegistrar = server
		if installation.name == "guard" {
			registrar = s.interceptor.Guard(server)
		}
		registrar.RegisterService(s.served.desc(), s.served)
	}
	reached := wire.serve(t, server)
	made.send = func(ctx context.Context, t *testing.T, s *vectorService, kind kind, c *vectorCase) callAnswer {
		t.Helper()
		if c.By == byWire {
			return c.sendRaw(ctx, t, reached, wire.scheme, "/"+s.table.Name+"/"+string(kind))
		}
		return answerOf(callUntil(metadata.NewOutgoingContext(ctx, c.metadata()), reached.client, s.table.Name, kind))
	}
	return made
}

// sendRaw sends the case's fields as they stand.
func (c *vectorCase) sendRaw(ctx context.Context, t *testing.T, reached ends, scheme, path string) callAnswer {
	t.Helper()
	connection, err := reached.dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var fields []field
	for _, pair := range c.Send {
		fields = append(fields, field{Name: pair.key, Value: string(pair.value)})
	}
	answer := rawCallOn(t, connection, scheme, path, fields...)
	if answer.reset || answer.fields[":status"] != "200" { // behind net/http, a refusal can be HTTP's own
		return callAnswer{reset: true}
	}
	code, err := strconv.Atoi(answer.fields["grpc-status"])
	message, notEncoded := url.PathUnescape(answer.fields["grpc-message"])
	if err := errors.Join(err, notEncoded); err != nil {
		t.Fatal(err)
	}
	return callAnswer{code: codes.Code(code), message: message}
}

// inProcess asks Authorize, the door of who has no server. Its calls have no kind.
func (f *vectorFile) inProcess() *vectorServer {
	made := &vectorServer{recorder: &callRecorder{}, kinds: kinds, takes: func(c *vectorCase) bool { return c.calls() && c.By != byWire }}
	made.services = f.services(made.recorder)
	made.send = func(ctx context.Context, _ *testing.T, s *vectorService, kind kind, c *vectorCase) callAnswer {
		ctx = metadata.NewIncomingContext(ctx, c.metadata())
		admitted, err := s.interceptor.Authorize(ctx, "/"+s.table.Name+"/"+string(kind))
		if err == nil {
			s.served.enter(admitted)
		}
		return answerOf(err)
	}
	return made
}

// compare lists the differences between what a case says and what was seen of a call.
func (s *vectorService) compare(c *vectorCase, kind kind, answer callAnswer, seen callRecord) []string {
	wrong := seen.problems
	differs := func(what string, got, want any) {
		if got, want := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); got != want {
			wrong = append(wrong, fmt.Sprintf("%s: got %s, want %s", what, got, want))
		}
	}
	differs("questions to verifiers", seen.asked, c.Asked)
	if c.Refused != nil {
		differs("handlers that ran", len(seen.handlers), 0)
	}
	if c.Refused != nil && c.Refused.ByTransport {
		differs("refused by the transport", answer.reset || answer.code != codes.OK, true)
		differs("decisions", len(seen.decisions), 0)
		return wrong
	}
	want := callAnswer{}
	if c.Refused != nil {
		want.code, want.message = s.denial.Code, s.denial.Message
		if c.Refused.Code != nil {
			want.code = *c.Refused.Code
		}
		if c.Refused.Message != nil {
			want.message = *c.Refused.Message
		}
	}
	differs("answer", answer, want)
	decision := grpcauth.Decision{
		FullMethod: "/" + s.table.Name + "/" + string(kind), Reason: grpcauth.Allowed, Code: want.code,
	}
	reason := decision.Reason.String()
	if c.Refused != nil {
		reason, decision.Header = c.Refused.Reason, c.Refused.Header
	}
	if len(seen.decisions) != 1 {
		return append(wrong, fmt.Sprintf("%d decisions, want one", len(seen.decisions)))
	}
	got := seen.decisions[0]
	differs("decision's method", got.FullMethod, decision.FullMethod)
	differs("decision's header", got.Header, decision.Header)
	differs("decision's reason", got.Reason, reason)
	differs("decision's code", got.Code, decision.Code)
	switch {
	case c.Refused != nil && c.Refused.Error != "":
		differs("decision's error holds "+c.Refused.Error, strings.Contains(fmt.Sprint(got.Err), c.Refused.Error), true)
	case c.Refused == nil || len(seen.asked) == 0:
		differs("decision's error", got.Err, nil)
	}
	if c.Allowed != nil {
		wrong = append(wrong, c.Allowed.compare(seen)...)
	}
	return wrong
}

// compare is the part about the handler.
func (a *vectorAllowed) compare(seen callRecord) []string {
	if len(seen.handlers) != 1 {
		return []string{fmt.Sprintf("handlers ran %d times, want once", len(seen.handlers))}
	}
	var wrong []string
	handler := seen.handlers[0]
	if !maps.Equal(handler.values, a.Values) {
		wrong = append(wrong, fmt.Sprintf("the handler's values: got %q, want %q", handler.values, a.Values))
	}
	if handler.principal != a.Principal {
		wrong = append(wrong, fmt.Sprintf("the handler's principal: got %q, want %q", handler.principal, a.Principal))
	}
	expires := 0
	for seconds, expiry := range seen.expiries {
		if handler.deadline.Equal(expiry) {
			expires = seconds
		}
	}
	if expires != a.ExpiresInSeconds {
		wrong = append(wrong, fmt.Sprintf("the handler's context ends with an expiry in %d seconds, want %d", expires, a.ExpiresInSeconds))
	}
	return wrong
}
