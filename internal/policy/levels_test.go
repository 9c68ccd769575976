package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/runtime/protoimpl"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// levels makes a file with one method from the rules of its file, its service and the method, "" for none.
func levels(tb testing.TB, ofFile, ofService, ofMethod string) protoreflect.FileDescriptor {
	tb.Helper()
	stated := func(options proto.Message, extension *protoimpl.ExtensionInfo, text string) {
		if text == "" {
			return
		}
		rule := &grpcauthv1.Rule{}
		if err := prototext.Unmarshal([]byte(text), rule); err != nil {
			tb.Fatal(err)
		}
		proto.SetExtension(options, extension, rule)
	}
	file, service, method := &descriptorpb.FileOptions{}, &descriptorpb.ServiceOptions{}, &descriptorpb.MethodOptions{}
	stated(file, grpcauthv1.E_File, ofFile)
	stated(service, grpcauthv1.E_Service, ofService)
	stated(method, grpcauthv1.E_Method, ofMethod)
	made, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: new("a.proto"), Package: new("a.v1"), Syntax: new("proto3"), Options: file,
		MessageType: []*descriptorpb.DescriptorProto{{Name: new("M")}},
		Service: []*descriptorpb.ServiceDescriptorProto{{
			Name: new("A"), Options: service,
			Method: []*descriptorpb.MethodDescriptorProto{{
				Name: new("Get"), InputType: new(".a.v1.M"), OutputType: new(".a.v1.M"), Options: method,
			}},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

// spell writes a method's rule as the expectations below are written.
func spell(method *policy.Method) string {
	parts := map[policy.Access][]string{
		policy.Public: {"public"}, policy.Guarded: {"guarded by " + method.GuardedBy},
	}[method.Access]
	for _, header := range method.Headers {
		parts = append(parts, map[bool]string{true: "?"}[header.Optional]+header.Name)
	}
	var alternatives []string
	for _, alternative := range method.AnyOf {
		var names []string
		for _, header := range alternative.Headers {
			names = append(names, header.Name)
		}
		alternatives = append(alternatives, strings.Join(names, "&"))
	}
	if len(alternatives) > 0 {
		parts = append(parts, "("+strings.Join(alternatives, "|")+")")
	}
	return strings.Join(parts, " ")
}

// levelRules are rules in which % stands for the level, so that no name is said twice.
var levelRules = map[string]string{
	"none":               "",
	"headers":            `headers: {name: "x-%" equals: "1"}`,
	"optional as well":   `headers: {name: "x-%" equals: "1"} headers: {name: "o-%" verify: {} optional: true}`,
	"any_of":             `any_of: {headers: {name: "a-%" bearer: {}} headers: {name: "b-%" basic: {}}} any_of: {headers: {name: "c-%" verify: {}}}`,
	"headers and any_of": `headers: {name: "x-%" equals: "1"} any_of: {headers: {name: "a-%" present: {}}}`,
	"public":             `public: true`,
	"user if known":      `public: true headers: {name: "o-%" bearer: {} optional: true}`,
	"replace":            `replace: true headers: {name: "x-%" equals: "1"}`,
	"replace by any_of":  `replace: true any_of: {headers: {name: "a-%" present: {}}} headers: {name: "o-%" present: {} optional: true}`,
	"guarded":            `guarded_by: "%"`,
	"denial":             `denial: {message: "%"}`,
}

// expected is what levels add up to, written here once more without the resolver: three words drop what
// is outside, headers add up, and there may be one any_of.
type expected struct {
	access, headers, anyOf string
	conflict               string // the level at which there is a second any_of
}

func (e expected) with(level, rule string) expected {
	own := map[string]expected{
		"headers":            {headers: " x-%"},
		"optional as well":   {headers: " x-% ?o-%"},
		"any_of":             {anyOf: " (a-%&b-%|c-%)"},
		"headers and any_of": {headers: " x-%", anyOf: " (a-%)"},
		"public":             {access: " public"},
		"user if known":      {access: " public", headers: " ?o-%"},
		"replace":            {headers: " x-%"},
		"replace by any_of":  {headers: " ?o-%", anyOf: " (a-%)"},
		"guarded":            {access: " guarded by %"},
	}[rule]
	for _, text := range []*string{&own.access, &own.headers, &own.anyOf} {
		*text = strings.ReplaceAll(*text, "%", level)
	}
	own.conflict = e.conflict
	switch rule {
	case "none", "denial":
		return e
	case "headers", "optional as well", "any_of", "headers and any_of":
		if e.anyOf != "" && own.anyOf != "" && e.conflict == "" {
			own.conflict = level
		}
		own.headers = e.headers + own.headers
		own.anyOf = e.anyOf + own.anyOf
	}
	return own
}

// Every rule at a level, combined with every rule at each other level.
func TestT9_EveryLevelWithEveryLevel(t *testing.T) {
	t.Parallel()
	resolved, refused := 0, 0
	for ofFile := range levelRules {
		for ofService := range levelRules {
			for ofMethod := range levelRules {
				name := fmt.Sprintf("%s / %s / %s", ofFile, ofService, ofMethod)
				want := expected{}.with("file", ofFile).with("service", ofService).with("method", ofMethod)
				spelled := strings.TrimSpace(want.access + want.headers + want.anyOf)
				text := func(level, rule string) string {
					return strings.ReplaceAll(levelRules[rule], "%", level)
				}
				services, findings := policy.Resolve(levels(t,
					text("file", ofFile), text("service", ofService), text("method", ofMethod)), false)
				denies := ofFile == "denial" || ofService == "denial" || ofMethod == "denial"
				switch {
				case want.conflict != "":
					refused++
					element := map[string]string{"service": "a.v1.A:", "method": "a.v1.A.Get:"}[want.conflict]
					if !strings.Contains(findings.Error(), element+" any_of: an outer level has any_of as well") {
						t.Errorf("%s: got %v, want an error about the any_of of the %s", name, findings, want.conflict)
					}
				case denies && want.headers+want.anyOf == "":
					refused++
					if !strings.Contains(findings.Error(), "denial: no") {
						t.Errorf("%s: got %v, want an error about the denial", name, findings)
					}
				case spelled == "":
					if len(services) != 0 || len(findings) != 0 {
						t.Errorf("%s: got %d services, %v; want none", name, len(services), findings)
					}
				case len(findings) != 0 || len(services) != 1:
					t.Errorf("%s: got %d services, %v; want %s", name, len(services), findings, spelled)
				default:
					resolved++
					if got := spell(services[0].Methods[0]); got != spelled {
						t.Errorf("%s: got %s, want %s", name, got, spelled)
					}
					checkDenial(t, name, services[0].Methods[0], ofFile, ofService, ofMethod)
				}
			}
		}
	}
	if all := len(levelRules) * len(levelRules) * len(levelRules); resolved+refused != all-1 || refused < all/10 {
		t.Errorf("%d resolved, %d refused of %d, where one declares nothing", resolved, refused, all)
	}
}

// checkDenial checks that the nearest level that sets a denial decides.
func checkDenial(t *testing.T, name string, method *policy.Method, ofFile, ofService, ofMethod string) {
	t.Helper()
	want := "access denied"
	for level, rule := range [...]string{ofFile, ofService, ofMethod} {
		if rule == "denial" {
			want = [...]string{"file", "service", "method"}[level]
		}
	}
	if method.Denial.Message != want {
		t.Errorf("%s: denial %q, want %q", name, method.Denial.Message, want)
	}
}
