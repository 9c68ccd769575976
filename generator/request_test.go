package generator_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
)

// The compiler says who it is in the request, and its version ends in free text.
func TestCompilersVersionIsSpelledPlainly(t *testing.T) {
	t.Parallel()
	for suffix, want := range map[string]string{
		"": "v3.21.12\n", "rc1": "v3.21.12-rc1\n", "-dev": "v3.21.12-dev\n", "\n//go:generate evil": "v3.21.12\n",
	} {
		compiled := request(t, withRule(`headers: {name: "x-a" equals: "1"}`))
		compiled.CompilerVersion = &pluginpb.Version{Major: new(int32(3)), Minor: new(int32(21)), Patch: new(int32(12)), Suffix: new(suffix)}
		files, err := generate(t, compiled)
		if err != nil {
			t.Fatal(err)
		}
		if code := files["a_grpcauth.pb.go"]; !strings.Contains(code, "// - protoc                 "+want) {
			t.Errorf("%q: no %q in\n%.300s", suffix, want, code)
		}
	}
}

// A table in a comment that would hide what follows it ends with a pointer to the whole one.
func TestLongTablesOfScopesEnd(t *testing.T) {
	t.Parallel()
	var methods strings.Builder
	for i := range 100 {
		fmt.Fprintf(&methods, "rpc Get%d(M) returns (M);\n", i)
	}
	code := mustGenerate(t, head+`service A {
		option (grpcauth.v1.service).headers = {name: "x-a" bearer: {scopes: "s"}};
		`+methods.String()+"}")
	if !strings.Contains(code, "and more: see the table of the server's constructor") {
		t.Error("the table of scopes has no end")
	}
}

// A name clashes, too, with what another run generates for a file of the same Go package.
func TestNamesOfFilesThatAreNotGenerated(t *testing.T) {
	t.Parallel()
	const rule = ` { option (grpcauth.v1.service).headers = {name: "x-s" present: {}}; rpc Get(M) returns (M); }`
	sources := compile.Sources(map[string]string{
		"a.proto": strings.ReplaceAll(head, "import", "import \"b.proto\";\nimport") + "service A" + rule +
			" service B" + strings.ReplaceAll(rule, "M", "other.M"),
		"b.proto": strings.NewReplacer("a.v1;\nimport", "other;\nimport").Replace(head) + "service A_" + rule +
			" message ACredentials {}",
	}, options)
	compiled, err := compile.Request(t.Context(), sources, "paths=source_relative", "a.proto")
	if err != nil {
		t.Fatal(err)
	}
	checkRefused(t, compiled, "the generated Go name ACredentials of service a.v1.A is also that of message other.ACredentials")
}

// Edition 2024 imports the option language for its options alone, and protogen leaves such files out.
func TestLanguageThatIsImportedForOptionsAlone(t *testing.T) {
	t.Parallel()
	for _, damaged := range []bool{false, true} {
		compiled := request(t, withRule(`headers: {name: "x-a" equals: "1"}`))
		file := compiled.GetProtoFile()[len(compiled.GetProtoFile())-1]
		file.Syntax, file.Edition = new("editions"), new(descriptorpb.Edition_EDITION_2024)
		file.Dependency, file.OptionDependency = nil, []string{"grpcauth/v1/options.proto"}
		if !damaged {
			if _, err := generate(t, compiled); err != nil {
				t.Error(err)
			}
			continue
		}
		for _, file := range compiled.GetProtoFile() {
			for _, extension := range file.GetExtension() {
				if extension.GetName() == "method" && file.GetPackage() == "grpcauth.v1" {
					extension.Number = new(int32(74202))
				}
			}
		}
		checkRefused(t, compiled, "grpcauth.v1.method: has number 74202")
	}
}
