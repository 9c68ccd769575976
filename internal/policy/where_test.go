package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// reviewed has rules at all levels; a line of each begins with its comment.
const reviewed = `syntax = "proto3";
package a.v1;
import "grpcauth/v1/options.proto";
option (grpcauth.v1.file).headers = {name: "x-file" equals: "1"};
service A {
  option (grpcauth.v1.service) = {
    headers: {name: "x-service" present: {}}
    any_of: {headers: {name: "x-one" verify: {}}}
    any_of: {headers: {name: "x-two" verify: {}}}
  };
  rpc Inherits(M) returns (M);
  rpc Denies(M) returns (M) {
    option (grpcauth.v1.method).denial.message = "no";
  }
  rpc Adds(M) returns (M) {
    option (grpcauth.v1.method).headers = {name: "x-method" basic: {}};
  }
  rpc Opens(M) returns (M) {
    option (grpcauth.v1.method).public = true;
  }
  rpc Wrong(M) returns (M) {
    option (grpcauth.v1.method).headers = {name: "X-Method" basic: {}};
  }
  rpc Repeats(M) returns (M) {
    option (grpcauth.v1.method).headers = {name: "x-file" basic: {}};
  }
}
message M {}
`

// read resolves a schema, and finds methods by their short names.
func read(t *testing.T, text string) (resolved *policy.File, methods map[string]*policy.Method) {
	t.Helper()
	resolved = policy.Read(file(t, text, true))
	methods = map[string]*policy.Method{}
	for _, service := range resolved.Services {
		for _, method := range service.Methods {
			methods[string(method.Descriptor.Name())] = method
		}
	}
	return resolved, methods
}

func TestHeadersAreThoseThatAreStated(t *testing.T) {
	t.Parallel()
	resolved, _ := read(t, reviewed)
	var names []string
	for header := range resolved.Headers() {
		names = append(names, header.Name)
	}
	want := []string{"x-file", "x-service", "x-one", "x-two", "x-method", "x-file"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	for i, name := range want { // a loop may end anywhere
		at := -1
		for header := range resolved.Headers() {
			at++
			if at < i {
				continue
			}
			if got := header.Finding("m").Text(); header.Name != name || !strings.HasSuffix(got, "headers[0]: m") {
				t.Errorf("%s: got %s of %s", name, got, header.Name)
			}
			break
		}
	}
}

func TestMethodsWithWrongRulesAreBroken(t *testing.T) {
	t.Parallel()
	_, methods := read(t, reviewed)
	for name, want := range map[string]bool{
		"Inherits": false, "Denies": false, "Adds": false, "Opens": false, "Wrong": true, "Repeats": true,
	} {
		if methods[name].Broken != want {
			t.Errorf("%s: broken is %v", name, !want)
		}
	}
	// What a method drops does not matter to it.
	_, methods = read(t, strings.Replace(reviewed, `"x-service"`, `"X-Service"`, 1))
	for name, want := range map[string]bool{"Inherits": true, "Adds": true, "Opens": false} {
		if methods[name].Broken != want {
			t.Errorf("%s below a wrong rule: broken is %v", name, !want)
		}
	}
}

func TestAccessIsDecidedByTheInnermostRule(t *testing.T) {
	t.Parallel()
	_, methods := read(t, reviewed)
	for name, want := range map[string]string{
		"Inherits": "a.proto:6:3: a.v1.A.Inherits: m",
		"Denies":   "a.proto:6:3: a.v1.A.Denies: m",
		"Adds":     "a.proto:16:5: a.v1.A.Adds: m",
		"Opens":    "a.proto:19:5: a.v1.A.Opens: m",
	} {
		if got := policy.FindingAtAccess(methods[name], "m").String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	_, methods = read(t, "syntax = \"proto3\";\npackage a.v1;\nservice A {\n  rpc Get(M) returns (M);\n}\nmessage M {}\n")
	if got, want := policy.FindingAtAccess(methods["Get"], "m").String(), "a.proto:4:3: a.v1.A.Get: m"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Each case changes the reviewed schema; the method's names are compared, which is all that the cases need.
func TestChangesAreFoundAtTheRuleThatMadeThem(t *testing.T) {
	t.Parallel()
	names := func(method *policy.Method) (names []string) {
		for header := range method.All() {
			names = append(names, header.Name)
		}
		return names
	}
	contains := func(before, after *policy.Method) bool { // no header is gone
		return !slices.ContainsFunc(names(before), func(name string) bool {
			return !slices.Contains(names(after), name)
		})
	}
	const (
		fileRule    = `option (grpcauth.v1.file).headers = {name: "x-file" equals: "1"};`
		serviceRule = `headers: {name: "x-service" present: {}}`
		methodRule  = `option (grpcauth.v1.method).headers = {name: "x-method" basic: {}};`
	)
	for name, c := range map[string]struct {
		changes []string // pairs of old and new text
		method  string
		want    string
	}{
		"nothing":              {nil, "Adds", "a.proto:15:3"},
		"the file's rule":      {[]string{fileRule, strings.Replace(fileRule, "x-file", "x-other", 1)}, "Adds", "a.proto:4:1"},
		"the service's":        {[]string{serviceRule, ""}, "Adds", "a.proto:6:3"},
		"the method's":         {[]string{methodRule, strings.Replace(methodRule, "x-method", "x-other", 1)}, "Adds", "a.proto:16:5"},
		"the file's is gone":   {[]string{fileRule, ""}, "Adds", "a.proto:2:1"},
		"the method's is gone": {[]string{methodRule, ""}, "Adds", "a.proto:15:3"},
		"an inner change that takes nothing away": {
			[]string{serviceRule, "", methodRule, methodRule + `option (grpcauth.v1.method).headers = {name: "x-more" basic: {}};`},
			"Adds", "a.proto:6:3",
		},
		"two that both do": {
			[]string{serviceRule, "", methodRule, strings.Replace(methodRule, "x-method", "x-other", 1)},
			"Adds", "a.proto:16:5",
		},
		// With the old file's rule, the new method's would be wrong: it says nothing about who did it.
		"one that moved and became another": {
			[]string{fileRule, "", methodRule, methodRule + `option (grpcauth.v1.method).headers = {name: "x-file" present: {}};`},
			"Adds", "a.proto:16:5",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := reviewed
			for pair := range slices.Chunk(c.changes, 2) {
				if strings.Count(text, pair[0]) != 1 {
					t.Fatalf("not in the schema: %s", pair[0])
				}
				text = strings.Replace(text, pair[0], pair[1], 1)
			}
			_, before := read(t, reviewed)
			_, after := read(t, text)
			got := policy.FindingAtChange(before[c.method], after[c.method], contains, "m").String()
			if want := c.want + ": a.v1.A." + c.method + ": m"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	// A service's rule that is gone altogether.
	const before = "syntax = \"proto3\";\npackage a.v1;\nimport \"grpcauth/v1/options.proto\";\nservice A {\n" +
		"  option (grpcauth.v1.service).headers = {name: \"x-a\" basic: {}};\n  rpc Get(M) returns (M);\n}\nmessage M {}\n"
	_, old := read(t, before)
	_, now := read(t, strings.Replace(before, "option (grpcauth.v1.service).headers = {name: \"x-a\" basic: {}};", "", 1))
	got := policy.FindingAtChange(old["Get"], now["Get"], contains, "m").String()
	if want := "a.proto:4:1: a.v1.A.Get: m"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The path of a finding leads to where it says it is.
func TestFindingsHaveThePathOfTheirPosition(t *testing.T) {
	t.Parallel()
	descriptor := file(t, reviewed, true)
	findings := policy.Read(descriptor).Findings
	if len(findings) == 0 {
		t.Fatal("no finding")
	}
	for _, finding := range findings {
		at := descriptor.SourceLocations().ByPath(finding.SourcePath)
		if at.Path == nil || at.StartLine+1 != finding.Line || at.StartColumn+1 != finding.Column {
			t.Errorf("%s: the path %v leads to %d:%d", finding, finding.SourcePath, at.StartLine+1, at.StartColumn+1)
		}
	}
	if finding := policy.Read(file(t, reviewed, false)).Findings[0]; len(finding.SourcePath) > 0 {
		t.Errorf("%s: has a path, and no position", finding)
	}
}
