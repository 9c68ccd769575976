package transparency

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// interopCase is one of grpc's own cases, called as its own client calls it.
type interopCase struct {
	name string
	run  func(ctx context.Context, end *end, options ...grpc.CallOption)
	// options is true for a case that hands call options on.
	options bool
	// load is true for a case that needs grpc's load reports, an interceptor beside ours at the server.
	load bool
	// refusal says why the case can pass, although its calls are refused.
	refusal string
}

var interopCases = []interopCase{
	unit("DoEmptyUnaryCall", interop.DoEmptyUnaryCall),
	unit("DoLargeUnaryCall", interop.DoLargeUnaryCall),
	unit("DoClientStreaming", interop.DoClientStreaming),
	unit("DoServerStreaming", interop.DoServerStreaming),
	unit("DoPingPong", interop.DoPingPong),
	unit("DoEmptyStream", interop.DoEmptyStream),
	unit("DoTimeoutOnSleepingServer", interop.DoTimeoutOnSleepingServer).although("the timeout may be first"),
	unit("DoCancelAfterBegin", interop.DoCancelAfterBegin).although("the cancellation may be first"),
	unit("DoCancelAfterFirstResponse", interop.DoCancelAfterFirstResponse),
	unit("DoCustomMetadata", interop.DoCustomMetadata),
	unit("DoStatusCodeAndMessage", interop.DoStatusCodeAndMessage),
	unit("DoSpecialStatusMessage", interop.DoSpecialStatusMessage),
	{name: "DoUnimplementedMethod", run: func(ctx context.Context, end *end, _ ...grpc.CallOption) {
		interop.DoUnimplementedMethod(ctx, end.connection)
	}},
	{name: "DoUnimplementedService", refusal: "the service has no rules", run: func(
		ctx context.Context, end *end, _ ...grpc.CallOption,
	) {
		interop.DoUnimplementedService(ctx, testgrpc.NewUnimplementedServiceClient(end.connection))
	}},
	{name: "DoPickFirstUnary", run: func(ctx context.Context, end *end, _ ...grpc.CallOption) {
		interop.DoPickFirstUnary(ctx, testgrpc.NewTestServiceClient(end.connection))
	}},
	{name: "DoORCAPerRPCTest", load: true, run: func(ctx context.Context, end *end, _ ...grpc.CallOption) {
		interop.DoORCAPerRPCTest(ctx, testgrpc.NewTestServiceClient(end.connection))
	}},
	// Two workers share a connection, and then each call has its own.
	{name: "DoSoakTest", run: func(ctx context.Context, end *end, _ ...grpc.CallOption) {
		interop.DoSoakTest(ctx, soak(end, func() (*grpc.ClientConn, func()) { return end.connection, func() {} }))
		interop.DoSoakTest(ctx, soak(end, func() (*grpc.ClientConn, func()) {
			connection := end.dial()
			return connection, func() { connection.Close() }
		}))
	}},
}

// casesLeftOut are grpc's other cases.
var casesLeftOut = map[string]string{
	"DoComputeEngineCreds":              "needs a machine in Google's cloud",
	"DoServiceAccountCreds":             "needs an account there",
	"DoJWTTokenCreds":                   "needs an account there",
	"DoOauth2TokenCreds":                "needs an account there",
	"DoPerRPCCreds":                     "needs an account there",
	"DoGoogleDefaultCredentials":        "needs an account there",
	"DoComputeEngineChannelCredentials": "needs a machine there",
	// Reports more often than every 30 s take a switch that is internal to grpc's module.
	"DoORCAOOBTest": "its reports arrive on another service's stream, later than the case waits",
}

// unit is a case that consists of calls of the test service.
func unit(name string, run func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption)) interopCase {
	return interopCase{name: name, options: true, run: func(ctx context.Context, end *end, options ...grpc.CallOption) {
		run(ctx, testgrpc.NewTestServiceClient(end.connection), options...)
	}}
}

func (c interopCase) although(refusal string) interopCase {
	c.refusal = refusal
	return c
}

func soak(end *end, channel func() (*grpc.ClientConn, func())) interop.SoakTestConfig {
	const size, workers, iterations, long = 271828, 2, 4, time.Minute
	return interop.SoakTestConfig{
		RequestSize: size, ResponseSize: size, NumWorkers: workers, Iterations: iterations,
		PerIterationMaxAcceptableLatency: long, OverallTimeout: long, ServerAddr: end.address, ChannelForTest: channel,
	}
}

// A new version of grpc may bring another case.
func TestEveryCaseIsRunOrLeftOut(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "google.golang.org/grpc/interop").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no source of grpc's cases: %v", err)
	}
	known := map[string]bool{}
	for _, c := range interopCases {
		known[c.name] = true
	}
	for name := range casesLeftOut {
		known[name] = true
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range parsed.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || function.Recv != nil || !strings.HasPrefix(function.Name.Name, "Do") {
				continue
			}
			if !known[function.Name.Name] {
				t.Errorf("%s is neither run nor left out", function.Name.Name)
			}
			delete(known, function.Name.Name)
		}
	}
	for name := range known {
		t.Errorf("grpc has no case %s", name)
	}
}
