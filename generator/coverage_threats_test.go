package generator_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const greeter = "../example/greeter/v1/greeter.proto"

func TestT5_NewMethodWithoutRuleDoesNotGenerate(t *testing.T) {
	t.Parallel()
	const ruled = `service A {
  rpc Get(M) returns (M) { option (grpcauth.v1.method).headers = {name: "x-a" equals: "1"}; }
`
	if code := mustGenerate(t, head+ruled+"}"); !strings.Contains(code, `"/a.v1.A/Get"`) {
		t.Fatal("the service without the new method does not generate")
	}
	for _, added := range []string{
		"  rpc New(M) returns (M);\n}", "  rpc New(stream M) returns (M);\n}",
		"  rpc New(M) returns (stream M) {}\n}", "  rpc New(stream M) returns (stream M) { option deprecated = true; }\n}",
	} {
		checkRefused(t, request(t, head+ruled+added), "a.proto:8:3: a.v1.A.New: has no rule", "public or guarded_by")
	}
}

func TestT5_NewMethodInheritsItsServicesRule(t *testing.T) {
	t.Parallel()
	code := mustGenerate(t, head+`service A {
		option (grpcauth.v1.service).headers = {name: "x-a" equals: "1"};
		rpc New(M) returns (M);
	}`)
	const want = `{FullMethod: "/a.v1.A/New", Headers: []authimpl.Header{{Name: "x-a", Equals: "1"}}},`
	if !strings.Contains(code, want) {
		t.Errorf("the new method is not guarded:\n%s", code)
	}
}

// Each way in which a copy of the options may differ from the one compiled in. The exact errors are in
// the corpus; this shows that the unchanged copy generates and that each change alone stops it.
func TestT6_OptionsCopyThatDiffersDoesNotGenerate(t *testing.T) {
	t.Parallel()
	original, err := os.ReadFile(filepath.Join(options, "grpcauth/v1/options.proto"))
	if err != nil {
		t.Fatal(err)
	}
	schema := withRule(`headers: {name: "x-a" equals: "1"}`)
	try := func(t *testing.T, copied string) (map[string]string, error) {
		t.Helper()
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "grpcauth/v1"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"a.proto": schema, "grpcauth/v1/options.proto": copied} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return generateFrom(t, dir)
	}
	if files, err := try(t, string(original)); err != nil || len(files) != 1 {
		t.Fatalf("the unchanged copy: %d files, %v", len(files), err)
	}
	for name, change := range map[string][2]string{
		"method extension's number":  {"Rule method = 74201;", "Rule method = 50000;"},
		"service extension's number": {"Rule service = 74201;", "Rule service = 50000;"},
		"file extension's number":    {"Rule file = 74201;", "Rule file = 50000;"},
		"extension's label":          {"Rule file = 74201;", "repeated Rule file = 74201;"},
		"extended message":           {"extend google.protobuf.FileOptions", "extend google.protobuf.EnumOptions"},
		"field's number":             {"string guarded_by = 6;", "string guarded_by = 60;"},
		"field's type":               {"bool replace = 5;", "int32 replace = 5;"},
		"field's label":              {"string name = 1;", "repeated string name = 1;"},
		"field's name":               {"bool public = 1;", "bool open = 1;"},
		"field outside its oneof":    {"Values in = 11;", "} Values in = 11; oneof other {"},
		"enum value's number":        {"TYPE_BOOL = 4;", "TYPE_BOOL = 40;"},
		"message type":               {"Denial denial = 4;", "Alternative denial = 4;"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(string(original), change[0]) {
				t.Fatalf("options.proto does not contain %q", change[0])
			}
			schema := strings.Replace(string(original), change[0], change[1], 1)
			if name == "field's label" {
				// The schema could not be compiled with a value for it.
				if _, err := tryWithout(t, schema); err == nil {
					t.Error("generates")
				}
				return
			}
			if files, err := try(t, schema); err == nil || len(files) != 0 {
				t.Errorf("generates %d files, %v", len(files), err)
			} else if !strings.HasPrefix(err.Error(), "grpcauth/v1/options.proto:") {
				t.Errorf("the error does not name the copy:\n%v", err)
			}
		})
	}
}

// tryWithout generates from a schema that imports the options and does not use them.
func tryWithout(t *testing.T, copied string) (map[string]string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "grpcauth/v1"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"a.proto": head, "grpcauth/v1/options.proto": copied} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return generateFrom(t, dir)
}

// corpusErrors returns the lines of a corpus case's diagnostics; TestCorpus checks that they are exact.
func corpusErrors(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name, diagnostics))
	if err != nil {
		t.Fatal(err)
	}
	_, failure := generateFrom(t, filepath.Join("testdata", name))
	if failure == nil || failure.Error()+"\n" != string(text) {
		t.Fatalf("testdata/%s gives %v", name, failure)
	}
	return slices.Collect(strings.Lines(string(text)))
}

func TestT6_ForeignExtensionUnderOurNumberDoesNotGenerate(t *testing.T) {
	t.Parallel()
	if got := len(corpusErrors(t, "number_taken")); got != 2 {
		t.Errorf("%d errors, want one for the method's and one for the service's options", got)
	}
}

func TestT6_AdditionsAreFineUntilTheyAreUsed(t *testing.T) {
	t.Parallel()
	if _, err := generateFrom(t, "testdata/language_additions_unused"); err != nil {
		t.Error(err)
	}
	if got := len(corpusErrors(t, "unknown_fields")); got != 12 {
		t.Errorf("%d errors, want one for each method, and two for the last", got)
	}
}

func TestT7_UnknownFieldsAnywhereDoNotGenerate(t *testing.T) {
	t.Parallel()
	errors := strings.Join(corpusErrors(t, "unknown_fields"), "")
	for _, where := range []string{
		"M0: unknown field 90", "M1: unknown field 90", "headers[0].present: unknown field 1", "headers[0].in: unknown field 2",
		"headers[1]: unknown field 20", "denial: unknown field 3", "any_of[0].headers[0].bearer: unknown field 2",
		"headers[0].basic: unknown field 1", "any_of[0].headers[1].verify: unknown field 3", "any_of[1]: unknown field 2",
		"denial.code: 17", "headers[0].type: unknown number 6",
	} {
		if !strings.Contains(errors, where) {
			t.Errorf("nothing about %q", where)
		}
	}
}

func TestT12_UpperCaseNamesDoNotGenerate(t *testing.T) {
	t.Parallel()
	for name, lower := range map[string]string{
		"Authorization": "authorization", "X-Key": "x-key", "x-Key": "x-key", "AUTHORIZATION": "authorization", "a-biN": "a-bin",
	} {
		checkRefused(t, request(t, withRule(`headers: {name: "`+name+`" present: {}}`)),
			`headers[0].name: "`+name+`" must be lower case: "`+lower+`"`)
	}
}

func TestT13_ReservedNamesDoNotGenerate(t *testing.T) {
	t.Parallel()
	errors := strings.Join(corpusErrors(t, "header_reserved"), "")
	for _, name := range []string{
		"connection", "content-type", "cookie", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
		"user-agent", "grpc-timeout", "proxy-authorization",
	} {
		if !strings.Contains(errors, `"`+name+`" is reserved`) {
			t.Errorf("%s is not refused", name)
		}
	}
	if _, err := generateFrom(t, "testdata/header_nearly_reserved"); err != nil {
		t.Errorf("names that only look like reserved ones: %v", err)
	}
}

func TestGreeterIsWhatItsProtoGenerates(t *testing.T) {
	t.Parallel()
	schema, err := os.ReadFile(greeter)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("../example/greeter/v1/greeter_grpcauth.pb.go")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Replace(mustGenerate(t, string(schema)), "// source: a.proto", "// source: greeter/v1/greeter.proto", 1)
	if got != string(committed) {
		t.Errorf("go generate ./example was not run; greeter.proto generates:\n%s", got)
	}
}
