package generator_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// hostile texts would become live Go, end a comment, or deceive a reader, if they were copied as they are.
var hostile = []string{
	`"`, `\`, "`", "*/", "/*", "//", `" + evil() + "`, "`+evil()+`", `\"`, `{{.}}`, `{{template "x"}}`, "%s%d", "$(echo canary)",
	"\n", "\r", "\r\n", "\nfunc init() { panic(1) }\n", "\n//go:generate evil\n", "*/ func init() {} /*", "\x00", "\x1b[2J",
	"\t", "\v", "\x7f", "\u0085", "\u00a0", "\u00ad", "\u200b", "\u202a", "\u202e", "\u2066", "\u2069", "\u2028", "\u2029",
	"\ufeff", "\ufffd", "é", "世界", "\U0001f600", "\U000e0041", strings.Repeat("a", 100_000),
}

// setMethodRule puts the rule on the first method of a.proto, past everything that a compiler would check.
func setMethodRule(t *testing.T, request *pluginpb.CodeGeneratorRequest, rule *grpcauthv1.Rule) {
	t.Helper()
	file := request.GetProtoFile()[len(request.GetProtoFile())-1]
	options := &descriptorpb.MethodOptions{}
	proto.SetExtension(options, grpcauthv1.E_Method, rule)
	file.GetService()[0].GetMethod()[0].Options = options
}

// What changes how the rest of a line reads does not get as far as quoting, which would let a reviewer see it as an
// escape and a caller as what it is.
func TestT31_ControlAndFormatCharactersAreRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"a\nb", "a\x00b", "a\x1bb", "a\x7fb", "a\u0085b", "a\u202eb", "a\u2066b", "a\u200bb", "a\ufeffb", "a\u2028b",
		"a\u2029b", "a\ue000b",
	} {
		for field, rule := range map[string]*grpcauthv1.Rule{
			"denial.message": {Public: true, Denial: &grpcauthv1.Denial{Message: text}, Headers: []*grpcauthv1.Header{{
				Name: "x-a", Check: &grpcauthv1.Header_Equals{Equals: "1"}, Optional: true,
			}}},
			"guarded_by": {GuardedBy: text},
		} {
			request := request(t, withRule("public: true"))
			setMethodRule(t, request, rule)
			checkRefused(t, request, field+": must be valid UTF-8 without control or format characters")
		}
	}
}

// Hostile text is refused, or stands in the output as the value of a string literal and nothing else.
func TestT31_HostileTextsAreRefusedOrQuoted(t *testing.T) {
	t.Parallel()
	equals := func(text string) *grpcauthv1.Header {
		return &grpcauthv1.Header{Name: "x-a", Check: &grpcauthv1.Header_Equals{Equals: text}}
	}
	rules := map[string]func(text string) *grpcauthv1.Rule{
		"equals": func(text string) *grpcauthv1.Rule {
			return &grpcauthv1.Rule{Headers: []*grpcauthv1.Header{equals(text)}}
		},
		"in": func(text string) *grpcauthv1.Rule {
			return &grpcauthv1.Rule{Headers: []*grpcauthv1.Header{{
				Name: "x-a", Check: &grpcauthv1.Header_In{In: &grpcauthv1.Values{Values: []string{"plain", text}}},
			}}}
		},
		"denial": func(text string) *grpcauthv1.Rule {
			return &grpcauthv1.Rule{
				Headers: []*grpcauthv1.Header{equals("1")}, Denial: &grpcauthv1.Denial{Message: text},
			}
		},
		"bearer.scopes": func(text string) *grpcauthv1.Rule {
			return &grpcauthv1.Rule{Headers: []*grpcauthv1.Header{{
				Name:  "x-a",
				Check: &grpcauthv1.Header_Bearer{Bearer: &grpcauthv1.Bearer{Scopes: []string{"plain", text}}},
			}}}
		},
		"verify.scopes": func(text string) *grpcauthv1.Rule {
			return &grpcauthv1.Rule{AnyOf: []*grpcauthv1.Alternative{{Headers: []*grpcauthv1.Header{{
				Name:  "x-a",
				Check: &grpcauthv1.Header_Verify{Verify: &grpcauthv1.Verify{Scheme: "S", Scopes: []string{text}}},
			}}}}}
		},
		"verify.scheme": func(text string) *grpcauthv1.Rule {
			return &grpcauthv1.Rule{Public: true, Headers: []*grpcauthv1.Header{{
				Name: "x-a", Check: &grpcauthv1.Header_Verify{Verify: &grpcauthv1.Verify{Scheme: text}}, Optional: true,
			}}}
		},
		"name in an alternative": func(text string) *grpcauthv1.Rule {
			return &grpcauthv1.Rule{AnyOf: []*grpcauthv1.Alternative{{Headers: []*grpcauthv1.Header{{
				Name: text, Check: &grpcauthv1.Header_Basic{Basic: &grpcauthv1.Basic{}},
			}}}}}
		},
		"guarded_by": func(text string) *grpcauthv1.Rule { return &grpcauthv1.Rule{GuardedBy: text} },
		"name": func(text string) *grpcauthv1.Rule {
			return &grpcauthv1.Rule{Headers: []*grpcauthv1.Header{{
				Name: text, Check: &grpcauthv1.Header_Present{Present: &grpcauthv1.Present{}},
			}}}
		},
	}
	generated, refused := 0, 0
	for field, rule := range rules {
		for _, text := range hostile {
			request := request(t, withRule("public: true"))
			setMethodRule(t, request, rule(text))
			_, err := generate(t, request) // which checks the code
			if err != nil {
				refused++
				if strings.ContainsAny(err.Error(), "\n\r\x00\x1b\u202e\u2028") {
					t.Errorf("%s %.20q: the error is not one plain line: %q", field, text, err)
				}
				continue
			}
			generated++
			if t.Failed() {
				t.Fatalf("%s %.20q", field, text)
			}
		}
	}
	if generated < 40 || refused < 200 {
		t.Errorf("%d generated, %d refused: the texts do not try both", generated, refused)
	}
}

func TestT32_GoPackageThatIsNoneDoesNotGenerate(t *testing.T) {
	t.Parallel()
	const ruled = `headers: {name: "x-a" equals: "1"}`
	for _, option := range []string{
		"example.com/a;av1\nfunc init() { panic(1) }", "example.com/a;func", "example.com/a;a b", "example.com/a;_",
		"example.com/a;1a", "example.com/a;a-b", "example.com/a;a\u202eb", "example.com/a;a//",
		"example.com/a\n;av1", "example.com/../a;av1", "../a;av1", "/a;av1", "example.com//a;av1", "example.com/a b;av1",
		"example.com/a\";av1", "example.com/a`;av1", "example.com/a\\b;av1", "./a;av1",
	} {
		byOption := request(t, withRule(ruled))
		byOption.GetProtoFile()[len(byOption.GetProtoFile())-1].Options.GoPackage = new(option)
		checkRefused(t, byOption, "go_package")

		byParameter := request(t, withRule(ruled))
		byParameter.Parameter = new("paths=source_relative,Ma.proto=" + option)
		checkRefused(t, byParameter, "go_package")
	}
}

func TestT33_CommentsOfTheSchemaAreNotCopied(t *testing.T) {
	t.Parallel()
	// ‹› stands for the two slashes: go generate would carry out such a line of this file, too.
	code := mustGenerate(t, strings.ReplaceAll(`‹›go:build ignore
‹› +build ignore
‹›go:generate echo canary
syntax = "proto3";
/*line evil.go:1:1*/
package a.v1; ‹›go:debug panicnil=1
import "grpcauth/v1/options.proto";
option go_package = "example.com/a/v1;av1";
‹›line evil.go:1
message M {} ‹› canary
‹›go:linkname canary evil
service A { ‹›go:embed canary
  ‹›go:noinline canary
  option (grpcauth.v1.service).headers = {name: "x-a" present: {} /* canary */}; ‹› canary
  ‹›export canary
  rpc Get(M) returns (M); ‹› canary
}
`, "‹›", "//"))
	for _, word := range []string{"canary", "go:", "+build", "line evil", "export"} {
		if strings.Contains(code, word) {
			t.Errorf("the code contains %q:\n%s", word, code)
		}
	}
}

func TestT34_FileNamesOutsideTheOutputAreRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"../a.proto", "/a.proto", "a/../../a.proto", "./a.proto", "a//b.proto", "a\n.proto", "a\\b.proto", "C:/a.proto",
		"a/\u202eb.proto", "..", ".", "a\x00.proto", "a\n//go:generate evil\n.proto",
	} {
		compiled := request(t, withRule(`headers: {name: "x-a" equals: "1"}`))
		compiled.GetProtoFile()[len(compiled.GetProtoFile())-1].Name = new(name)
		compiled.FileToGenerate = []string{name}
		checkRefused(t, compiled, "name must be a plain relative path")
	}
}

func TestT35_GoNamesThatCollideAreRefused(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string]int{
		"go_names_of_methods": 2, "go_names_of_headers": 2, "go_names_of_services": 4, "go_names_of_others": 5,
		"header_with_two_types": 2, "go_names_of_kinds": 4, "go_names_of_the_verifier": 2, "verified_with_two_types": 2,
		"scheme_in_two_cases": 2,
	} {
		if got := len(corpusErrors(t, name)); got != lines {
			t.Errorf("%s: %d errors, want %d", name, got, lines)
		}
	}
}

func TestT36_CapsAreExact(t *testing.T) {
	t.Parallel()
	headers := func(count int) string {
		var rule strings.Builder
		for i := range count {
			fmt.Fprintf(&rule, "headers: {name: \"x-%d\" equals: \"1\"} ", i)
		}
		return rule.String()
	}
	values := func(count int) string {
		return `headers: {name: "x-a" in: {` + strings.Repeat(`values: "v" `, count) + `}}`
	}
	alternatives := func(first, second int) string {
		return headers(2) + "any_of: {" + strings.ReplaceAll(headers(first), "x-", "a-") +
			"} any_of: {" + strings.ReplaceAll(headers(second), "x-", "a-") + "}"
	}
	scopes := func(count int) string {
		var list strings.Builder
		for i := range count {
			fmt.Fprintf(&list, `scopes: "s%d" `, i)
		}
		return `headers: {name: "x-a" bearer: {` + list.String() + `}}`
	}
	mustGenerate(t, withRule(headers(64)))
	mustGenerate(t, withRule(alternatives(31, 31)))
	mustGenerate(t, withRule(scopes(64)))
	mustGenerate(t, withRule(values(64)))
	checkRefused(t, request(t, withRule(headers(65))), "headers: 65 headers; at most 64 are allowed in a rule")
	checkRefused(t, request(t, withRule(values(65))), "headers[0].in: 65 values; at most 64 are allowed")
	checkRefused(t, request(t, withRule(alternatives(31, 32))), "any_of: 65 headers, those outside any_of included; at most 64")
	checkRefused(t, request(t, withRule(alternatives(63, 1))), "any_of: 66 headers, those outside any_of included; at most 64")
	checkRefused(t, request(t, withRule(scopes(65))), "headers[0].bearer.scopes: 65 scopes; at most 64 are allowed")
}

func TestT37_TwoFilesOfOnePackageShareNoSymbol(t *testing.T) {
	t.Parallel()
	files, err := generateFrom(t, "testdata/two_files_one_package")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for name, code := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, code, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range declarations(file) {
			if other, twice := seen[declaration]; twice && declaration != "const _" {
				t.Errorf("%s is in %s and in %s", declaration, other, name)
			}
			seen[declaration] = name
		}
	}
	if len(files) != 2 {
		t.Errorf("%d files", len(files))
	}
}

func TestT38_SameSchemaSameBytes(t *testing.T) {
	t.Parallel()
	texts := map[string]string{}
	var names []string
	for i := range 6 {
		name := fmt.Sprintf("f%d.proto", i)
		names = append(names, name)
		texts[name] = fmt.Sprintf(`syntax = "proto3";
package f.v1;
import "grpcauth/v1/options.proto";
option go_package = "example.com/f/v1;fv1";
message M%[1]d {}
service S%[1]d {
  option (grpcauth.v1.service) = {
    headers: {name: "x-c" present: {}} headers: {name: "x-a" in: {values: "2" values: "1"}} headers: {name: "x-b" present: {}}
    any_of: {headers: {name: "y-b" verify: {scopes: "2" scopes: "1"}}} any_of: {headers: {name: "y-a" bearer: {}}}
    any_of: {headers: {name: "y-b" verify: {scheme: "S"}} headers: {name: "y-a" basic: {}}}
  };
  rpc B(M%[1]d) returns (M%[1]d);
  rpc A(M%[1]d) returns (M%[1]d) { option (grpcauth.v1.method).headers = {name: "x-d" present: {} type: TYPE_BOOL}; }
}`, i)
	}
	compiled, err := compile.Request(t.Context(), compile.Sources(texts, options), "paths=source_relative", names...)
	if err != nil {
		t.Fatal(err)
	}
	want, err := generate(t, proto.CloneOf(compiled))
	if err != nil || len(want) != len(names) {
		t.Fatalf("%d files, %v", len(want), err)
	}
	// descriptor.proto and options.proto come first, as those that the others import.
	const imported = 2
	for run := range 100 {
		shuffled := proto.CloneOf(compiled)
		random := rand.New(rand.NewPCG(uint64(run), 0))
		random.Shuffle(len(names), func(i, j int) {
			files := shuffled.GetFileToGenerate()
			files[i], files[j] = files[j], files[i]
		})
		random.Shuffle(len(names), func(i, j int) {
			files := shuffled.GetProtoFile()[imported:]
			files[i], files[j] = files[j], files[i]
		})
		got, err := generate(t, shuffled)
		if err != nil {
			t.Fatal(err)
		}
		for name, code := range want {
			if got[name] != code {
				t.Fatalf("run %d: %s differs", run, name)
			}
		}
	}
}

func TestErrorsComeInTheSameOrder(t *testing.T) {
	t.Parallel()
	dir := "testdata/findings_in_order"
	want := strings.Join(corpusErrors(t, "findings_in_order"), "")
	for range 20 {
		if _, err := generateFrom(t, dir); err.Error()+"\n" != want {
			t.Fatalf("got %v", err)
		}
	}
}
