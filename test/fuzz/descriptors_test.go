package fuzz

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/generator"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/draw"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/oracle"
)

// FuzzDescriptors puts rules of the fuzzer's making on a file, its services and their methods. The generator
// says what is wrong with them, or writes code of the known shape for rules that the runtime can enforce.
func FuzzDescriptors(f *testing.F) {
	for _, seed := range seeds(descriptorSeeds, descriptorSeedLength) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) { runDescriptors(t, bytes) })
}

const descriptorSeeds, descriptorSeedLength = 150, 120

// runDescriptors is true if code was generated.
func runDescriptors(t *testing.T, bytes []byte) bool {
	t.Helper()
	source := draw.From(bytes)
	request := withOptions(t, source)
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		t.Fatal(err)
	}
	err = generator.Generate(plugin)
	services, findings := policy.Resolve(plugin.FilesByPath["a.proto"].Desc, false)
	if err != nil {
		checkFindings(t, err)
		return false
	}
	if len(findings) > 0 {
		t.Fatalf("generated in spite of %v", findings)
	}
	response := plugin.Response()
	if response.Error != nil || len(response.GetFile()) != min(len(services), 1) {
		t.Fatalf("%d files of %d services, error %q", len(response.GetFile()), len(services), response.GetError())
	}
	for _, file := range response.GetFile() {
		checkCode(t, file.GetContent())
	}
	for _, service := range services {
		checkEnforceable(t, service, source)
	}
	return len(services) > 0
}

var schema = sync.OnceValues(func() (*pluginpb.CodeGeneratorRequest, error) {
	sources := compile.Sources(map[string]string{"a.proto": `syntax = "proto3";
package a.v1;
import "grpcauth/v1/options.proto";
option go_package = "example.com/a/v1;av1";
message M {}
service A {
	rpc Get(M) returns (M);
	rpc Watch(M) returns (stream M);
}
service B { rpc Get(M) returns (M); }`}, "../../proto/options")
	return compile.Request(context.Background(), sources, "paths=source_relative", "a.proto")
})

// withOptions is the schema with rules at all levels.
func withOptions(t *testing.T, source *draw.Source) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	compiled, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	request := proto.CloneOf(compiled)
	options := source.Options()
	file := request.GetProtoFile()[len(request.GetProtoFile())-1]
	if rule := options.Rule(draw.File); rule != nil && source.Chance(2) {
		proto.SetExtension(file.GetOptions(), grpcauthv1.E_File, rule)
	}
	for _, service := range file.GetService() {
		if rule := options.Rule(draw.Service); rule != nil {
			service.Options = &descriptorpb.ServiceOptions{}
			proto.SetExtension(service.GetOptions(), grpcauthv1.E_Service, rule)
		}
		for _, method := range service.GetMethod() {
			if rule := options.Rule(draw.Method); rule != nil {
				method.Options = &descriptorpb.MethodOptions{}
				proto.SetExtension(method.GetOptions(), grpcauthv1.E_Method, rule)
			}
		}
	}
	return request
}

var finding = regexp.MustCompile(`^a\.proto:[0-9]+:[0-9]+: [a-zA-Z0-9. ]+: .+$`)

// checkFindings demands one plain line for each.
func checkFindings(t *testing.T, err error) {
	t.Helper()
	var findings policy.Findings
	if !errors.As(err, &findings) || len(findings) == 0 {
		t.Fatalf("no finding but %v", err)
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !finding.MatchString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("a finding reads %q", line)
		}
	}
}

var (
	allowedImports = []string{
		`"context"`, `"google.golang.org/grpc/codes"`,
		`"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"`,
		`"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"`,
	}
	allowedDeclarations = regexp.MustCompile(`^(const _|var [ab]GrpcauthRules|type [AB]Credentials|type [AB]Verifier|` +
		`func New[AB]ServerInterceptor|func New[AB]ClientInterceptor|func [AB][A-Z]\w*FromContext)$`)
)

// checkCode demands code that is formatted and declares what generated code declares.
func checkCode(t *testing.T, code string) {
	t.Helper()
	formatted, err := format.Source([]byte(code))
	if err != nil || string(formatted) != code {
		t.Fatalf("not as gofmt writes it: %v\n%s", err, code)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "a_grpcauth.pb.go", code, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, imported := range file.Imports {
		name := path.Base(strings.Trim(imported.Path.Value, `"`))
		if imported.Name.String() != name || !slices.Contains(allowedImports, imported.Path.Value) {
			t.Errorf("imports %s as %s\n%s", imported.Path.Value, imported.Name, code)
		}
	}
	for _, declaration := range declarations(file) {
		if !allowedDeclarations.MatchString(declaration) {
			t.Errorf("declares %s\n%s", declaration, code)
		}
	}
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if !strings.HasPrefix(comment.Text, "// ") && !strings.HasPrefix(comment.Text, "//\t") && comment.Text != "//" {
				t.Errorf("the comment %q could be a directive\n%s", comment.Text, code)
			}
		}
	}
}

func declarations(file *ast.File) []string {
	var found []string
	for _, declaration := range file.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			if declaration.Recv != nil {
				found = append(found, "a method, "+declaration.Name.Name)
			}
			found = append(found, "func "+declaration.Name.Name)
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						found = append(found, declaration.Tok.String()+" "+name.Name)
					}
				case *ast.TypeSpec:
					found = append(found, "type "+spec.Name.Name)
				}
			}
		}
	}
	return found
}

// checkEnforceable makes the server's end of a resolved service, which panics on a table that cannot be enforced, and
// lets the oracle judge a call of each method.
func checkEnforceable(t *testing.T, service *policy.Service, source *draw.Source) {
	t.Helper()
	table := &authimpl.Service{Name: string(service.Descriptor.FullName())}
	end := &door{answer: alwaysYes}
	var verifiers []authimpl.Verifier
	for _, method := range service.Methods {
		rule := ruleOf(method)
		table.Methods = append(table.Methods, methodOf(rule, fmt.Sprintf("/%s/%s", table.Name, method.Descriptor.Name())))
		for _, h := range rule.All() {
			if h.Verified() {
				verifiers = append(verifiers, end.verifier(&h))
			}
		}
		newDoor(rule, alwaysYes, "Get").call(t, source.Call(rule))
	}
	authimpl.NewServerInterceptor(table, nil, verifiers...)
}

// ruleOf is a resolved rule as the oracle reads it.
func ruleOf(method *policy.Method) *oracle.Rule {
	made := &oracle.Rule{
		Public:    method.Access == policy.Public,
		GuardedBy: method.GuardedBy,
		Headers:   headersOf(method.Headers),
		Code:      int(method.Denial.Code),
		Message:   method.Denial.Message,
		MaxBytes:  8192,
	}
	for _, alternative := range method.AnyOf {
		made.AnyOf = append(made.AnyOf, headersOf(alternative.Headers))
	}
	return made
}

func headersOf(headers []*policy.Header) []oracle.Header {
	var made []oracle.Header
	for _, h := range headers {
		made = append(made, oracle.Header{
			Name: h.Name, Optional: h.Optional, Check: oracle.Check(h.Check.String()),
			Type:     oracle.Type(strings.ToLower(strings.TrimPrefix(h.Type.String(), "TYPE_"))),
			Literals: h.Literals, Scheme: h.Scheme, Scopes: h.Scopes,
		})
	}
	return made
}

// What the fuzzer begins with, and more of the kind, is refused and generated, either often enough.
func TestDescriptorsAreRefusedAndGenerated(t *testing.T) {
	t.Parallel()
	const few, times = 10, 4
	generated, all := 0, seeds(descriptorSeeds*times, descriptorSeedLength)
	for _, seed := range all {
		if runDescriptors(t, seed) {
			generated++
		}
	}
	t.Log(generated, "of", len(all), "are generated")
	if generated < few || len(all)-generated < few {
		t.Error("the seeds do not try both")
	}
}
