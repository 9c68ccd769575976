package grpcauth_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/vectors"
)

// loadVectors reads all files once.
var loadVectors = sync.OnceValues(func() ([]*vectors.File, error) {
	return vectors.Load(os.DirFS(filepath.Join("..", "testdata", "vectors")))
})

// TestVectors makes the calls of testdata/vectors with each installation, on each kind of connection, to a
// method of each kind, and compares all that can be seen of them at both ends.
func TestVectors(t *testing.T) {
	t.Parallel()
	runVectors(t, wires, func(*vectors.Case) bool { return true })
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
	answers := func(c *vectors.Case) bool { return slices.Contains(c.Threats, id) }
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
func runVectors(t *testing.T, wires []wire, chosen func(*vectors.Case) bool) int {
	t.Helper()
	files, err := loadVectors()
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, file := range files {
		var cases []*vectors.Case
		for _, c := range file.Cases {
			if chosen(c) {
				cases = append(cases, c)
			}
		}
		if len(cases) == 0 {
			continue
		}
		count += len(cases)
		t.Run(file.Theme, func(t *testing.T) {
			t.Parallel()
			runInvalid(t, file, cases)
			t.Run("Authorize", func(t *testing.T) {
				t.Parallel()
				runCases(t, cases, askAuthorize(file))
			})
			for _, installation := range installations {
				for _, wire := range wires {
					t.Run(installation.name+"/"+wire.name, func(t *testing.T) {
						t.Parallel()
						runCases(t, cases, serveVectors(t, file, installation, wire))
					})
				}
			}
		})
	}
	return count
}

func runCases(t *testing.T, cases []*vectors.Case, served *vectorServer) {
	t.Helper()
	for _, c := range cases {
		if !served.takes(c) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			for _, kind := range served.kinds {
				service := served.services[c.Rule]
				differences := service.Try(t.Context(), c, kind, func(ctx context.Context) vectors.Answer {
					return served.send(ctx, t, service, kind, c)
				})
				for _, difference := range differences {
					t.Errorf("%s: %s", kind, difference)
				}
			}
		})
	}
}

// vectorServer serves the rules of one file.
type vectorServer struct {
	services map[string]*vectors.Service
	kinds    []kind
	takes    func(*vectors.Case) bool
	send     func(ctx context.Context, t *testing.T, s *vectors.Service, kind kind, c *vectors.Case) vectors.Answer
}

// installation is a way to put the checks of several services into a server.
type installation struct {
	name    string
	install func(services []*vectors.Service, options []grpc.ServerOption) *grpc.Server
}

var installations = []installation{
	{"interceptors", func(services []*vectors.Service, options []grpc.ServerOption) *grpc.Server {
		for _, s := range services {
			options = append(options, s.Interceptor.ServerOptions()...)
		}
		return grpc.NewServer(options...)
	}},
	{"guard", func(_ []*vectors.Service, options []grpc.ServerOption) *grpc.Server {
		return grpc.NewServer(options...)
	}},
	{"merged", func(services []*vectors.Service, options []grpc.ServerOption) *grpc.Server {
		list := []*grpcauth.ServerInterceptor{neverAsked()}
		for _, s := range services {
			list = append(list, s.Interceptor)
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

// serveVectors serves the rules of a file with the checks installed.
func serveVectors(t *testing.T, f *vectors.File, installation installation, wire wire) *vectorServer {
	t.Helper()
	made := &vectorServer{kinds: kinds, takes: func(c *vectors.Case) bool { return c.Calls() && c.By != vectors.ByInProcess }}
	made.services = f.Services()
	services := slices.Collect(maps.Values(made.services))
	server := installation.install(services, wire.options())
	for _, s := range services {
		var registrar grpc.ServiceRegistrar = server
		if installation.name == "guard" {
			registrar = s.Interceptor.Guard(server)
		}
		registrar.RegisterService(vectors.Desc(s.Name, s.Enter), s)
	}
	reached := wire.serve(t, server)
	made.send = func(ctx context.Context, t *testing.T, s *vectors.Service, kind kind, c *vectors.Case) vectors.Answer {
		t.Helper()
		if c.By == vectors.ByWire {
			return sendRaw(ctx, t, c, reached, wire.scheme, "/"+s.Name+"/"+string(kind))
		}
		return vectors.AnswerOf(callUntil(metadata.NewOutgoingContext(ctx, c.Metadata()), reached.client, s.Name, kind))
	}
	return made
}

// sendRaw sends the case's fields as they stand.
func sendRaw(ctx context.Context, t *testing.T, c *vectors.Case, reached ends, scheme, path string) vectors.Answer {
	t.Helper()
	connection, err := reached.dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var fields []field
	for _, pair := range c.Send {
		fields = append(fields, field{Name: pair.Key, Value: string(pair.Value)})
	}
	answer := rawCallOn(t, connection, scheme, path, fields...)
	if answer.reset || answer.fields[":status"] != "200" { // behind net/http, a refusal can be HTTP's own
		return vectors.Answer{Reset: true}
	}
	code, err := strconv.Atoi(answer.fields["grpc-status"])
	message, notEncoded := url.PathUnescape(answer.fields["grpc-message"])
	if err := errors.Join(err, notEncoded); err != nil {
		t.Fatal(err)
	}
	return vectors.Answer{Code: codes.Code(code), Message: message}
}

// askAuthorize is Authorize, the door of who has no server. Its calls have no kind.
func askAuthorize(f *vectors.File) *vectorServer {
	made := &vectorServer{kinds: kinds, takes: func(c *vectors.Case) bool { return c.Calls() && c.By != vectors.ByWire }}
	made.services = f.Services()
	made.send = func(ctx context.Context, _ *testing.T, s *vectors.Service, kind kind, c *vectors.Case) vectors.Answer {
		ctx = metadata.NewIncomingContext(ctx, c.Metadata())
		admitted, err := s.Interceptor.Authorize(ctx, "/"+s.Name+"/"+string(kind))
		if err == nil {
			s.Enter(admitted)
		}
		return vectors.AnswerOf(err)
	}
	return made
}

// runInvalid checks that no code is generated for a rule, and why. There is no call to make.
func runInvalid(t *testing.T, file *vectors.File, cases []*vectors.Case) {
	t.Helper()
	for _, c := range cases {
		if c.Invalid == "" {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			findings := file.Findings(c.Rule)
			if len(findings) != 1 || !strings.Contains(findings[0].String(), c.Invalid) {
				t.Errorf("got %v, want one finding with %q", findings, c.Invalid)
			}
		})
	}
}
