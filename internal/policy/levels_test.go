package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// file compiles a.proto, with or without the positions that compilers record.
func file(t *testing.T, text string, positions bool) protoreflect.FileDescriptor {
	t.Helper()
	sources := compile.Sources(map[string]string{"a.proto": text}, "../../proto/options")
	request, err := compile.Request(t.Context(), sources, "", "a.proto")
	if err != nil {
		t.Fatal(err)
	}
	if !positions {
		for _, file := range request.GetProtoFile() {
			file.SourceCodeInfo = nil
		}
	}
	files, err := protodesc.NewFiles(&descriptorpb.FileDescriptorSet{File: request.GetProtoFile()})
	if err != nil {
		t.Fatal(err)
	}
	found, err := files.FindFileByPath("a.proto")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// spell writes a method's rule as the expectations below are written.
func spell(method *policy.Method) string {
	switch method.Access {
	case policy.Public:
		return "public"
	case policy.Guarded:
		return "guarded by " + method.GuardedBy
	case policy.Restricted:
		names := make([]string, 0, len(method.Headers))
		for _, header := range method.Headers {
			names = append(names, header.Name)
		}
		return strings.Join(names, "+")
	case policy.Undeclared:
	}
	return "nothing"
}

// Every rule at a level, combined with every rule at each other level. What the outer levels add up to
// decides with the inner one by three plain statements, written here once more without the resolver.
func TestT9_EveryLevelWithEveryLevel(t *testing.T) {
	t.Parallel()
	rules := []string{"none", "headers", "public", "replace", "guarded", "denial"}
	option := func(level, rule string) string {
		text, ok := map[string]string{
			"headers": `headers: {name: "x-` + level + `" equals: "1"}`,
			"public":  "public: true",
			"replace": `replace: true headers: {name: "x-` + level + `" equals: "1"}`,
			"guarded": `guarded_by: "` + level + `"`,
			"denial":  `denial: {message: "` + level + `"}`,
		}[rule]
		if !ok {
			return ""
		}
		return "option (grpcauth.v1." + level + ") = {" + text + "};\n"
	}
	// expect adds the rule of a level to what the outer levels require.
	expect := func(outer, level, rule string) string {
		own := "x-" + level
		switch {
		case rule == "public":
			return "public"
		case rule == "guarded":
			return "guarded by " + level
		case rule == "replace":
			return own
		case rule == "headers" && strings.HasPrefix(outer, "x-"):
			return outer + "+" + own
		case rule == "headers":
			return own
		}
		return outer
	}
	resolved, refused := 0, 0
	for _, ofFile := range rules {
		for _, ofService := range rules {
			for _, ofMethod := range rules {
				name := fmt.Sprintf("%s, %s, %s", ofFile, ofService, ofMethod)
				want := expect(expect(expect("nothing", "file", ofFile), "service", ofService), "method", ofMethod)
				services, findings := policy.Resolve(file(t, `syntax = "proto3";
					package a.v1;
					import "grpcauth/v1/options.proto";
					`+option("file", ofFile)+`
					service A {
						`+option("service", ofService)+`
						rpc Get(M) returns (M) { `+option("method", ofMethod)+` }
					}
					message M {}`, true), false)
				denies := ofFile == "denial" || ofService == "denial" || ofMethod == "denial"
				switch {
				case denies && !strings.HasPrefix(want, "x-"):
					// A denial for callers whom nobody refuses.
					refused++
					if len(findings) == 0 || !strings.Contains(findings.Error(), "nobody is refused") {
						t.Errorf("%s: got %v, want an error about the denial", name, findings)
					}
				case want == "nothing":
					if len(services) != 0 || len(findings) != 0 {
						t.Errorf("%s: got %d services, %v; want none", name, len(services), findings)
					}
				case len(findings) != 0 || len(services) != 1:
					t.Errorf("%s: got %d services, %v; want %s", name, len(services), findings, want)
				default:
					resolved++
					if got := spell(services[0].Methods[0]); got != want {
						t.Errorf("%s: got %s, want %s", name, got, want)
					}
					checkDenial(t, name, services[0].Methods[0], ofFile, ofService, ofMethod)
				}
			}
		}
	}
	const all = 6 * 6 * 6
	if resolved+refused < all*3/4 || refused < all/8 {
		t.Errorf("%d resolved, %d refused of %d", resolved, refused, all)
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
	if method.Access == policy.Restricted && method.Denial.Message != want {
		t.Errorf("%s: denial %q, want %q", name, method.Denial.Message, want)
	}
}

func TestT9_HeaderTwiceOnOnePathIsRefused(t *testing.T) {
	t.Parallel()
	for outer, inner := range map[string]string{"file": "service", "service": "method"} {
		levels := map[string]string{"file": "", "service": "", "method": ""}
		for i, level := range []string{outer, inner} {
			levels[level] = fmt.Sprintf(`option (grpcauth.v1.%s).headers = {name: "x-a" equals: "%d"};`, level, i)
		}
		_, findings := policy.Resolve(file(t, `syntax = "proto3";
			package a.v1;
			import "grpcauth/v1/options.proto";
			`+levels["file"]+`
			service A { `+levels["service"]+`
				rpc Get(M) returns (M) { `+levels["method"]+` }
			}
			message M {}`, true), false)
		if len(findings) != 1 || !strings.Contains(findings.Error(), `"x-a" is already required by an outer level`) {
			t.Errorf("%s and %s: %v", outer, inner, findings)
		}
	}
}
