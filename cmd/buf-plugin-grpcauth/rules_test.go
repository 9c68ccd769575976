package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"buf.build/go/bufplugin/check/checktest"
)

// Each rule by itself, with the place of its finding: lines and columns from 0 here.
func TestRules(t *testing.T) {
	t.Parallel()
	now := func() *checktest.ProtoFileSpec {
		return &checktest.ProtoFileSpec{DirPaths: []string{"testdata/rules", optionLanguage}, FilePaths: []string{"after.proto"}}
	}
	// The earlier version has the same file name.
	dir := t.TempDir()
	text, err := os.ReadFile("testdata/rules/before.proto")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "after.proto"), string(text))
	earlier := &checktest.ProtoFileSpec{DirPaths: []string{dir, optionLanguage}, FilePaths: []string{"after.proto"}}
	at := func(line, column, endLine, endColumn int) *checktest.ExpectedFileLocation {
		return &checktest.ExpectedFileLocation{
			FileName: "after.proto", StartLine: line, StartColumn: column, EndLine: endLine, EndColumn: endColumn,
		}
	}
	for _, c := range []struct {
		rule    string
		options map[string]any
		want    []checktest.ExpectedAnnotation
	}{
		{rule: valid, want: []checktest.ExpectedAnnotation{{
			Message: "rules.v1.A.New: has no rule, while other methods of its service have: add option " +
				"(grpcauth.v1.method) with headers, public or guarded_by, or a rule for the whole service",
			FileLocation: at(17, 2, 17, 25),
		}}},
		{rule: declared, want: []checktest.ExpectedAnnotation{{
			Message: "rules.v1.A.New: has no rule: add option (grpcauth.v1.method) with headers, public or " +
				"guarded_by, or a rule for the whole service; or leave it out with this plugin's option declared_except",
			FileLocation: at(17, 2, 17, 25),
		}}},
		{rule: declared, options: map[string]any{declaredExcept: []string{"rules"}}},
		{rule: noLiteral, want: []checktest.ExpectedAnnotation{{
			Message: `rules.v1.A.Change: headers[0]: "authorization" is a credential, and equals compares it with a ` +
				"literal that everyone can read: it ships in descriptors and generated code; use bearer, basic or " +
				"verify, and let the server decide",
			FileLocation: at(14, 4, 14, 83),
		}}},
		{rule: openList}, // off
		{rule: openList, options: map[string]any{openMethods: []string{"rules.v1.A.Open"}}},
		{rule: openList, options: map[string]any{openMethods: []string{nobody}}, want: []checktest.ExpectedAnnotation{{
			Message: "rules.v1.A.Open: is public and not listed in this plugin's option open_methods: list it " +
				"there, or require something",
			FileLocation: at(8, 4, 8, 46),
		}}},
		{rule: notWeakened, want: []checktest.ExpectedAnnotation{{
			Message: "rules.v1.A.Open: some call that was refused would now pass; " +
				"before: x-user (verify); now: public",
			FileLocation: at(8, 4, 8, 46),
		}}},
		{rule: notTightened, want: []checktest.ExpectedAnnotation{{
			Message: "rules.v1.A.Close: some call that passed would now be refused, so existing clients may break; " +
				"before: public; now: x-user (verify)",
			FileLocation: at(11, 4, 11, 70),
		}}},
		{rule: denialSame, want: []checktest.ExpectedAnnotation{{
			Message: "rules.v1.A.Change: a refused caller gets something else; " +
				`before: UNAUTHENTICATED "access denied"; now: NOT_FOUND "access denied"`,
			FileLocation: at(14, 4, 14, 83),
		}}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			for i := range c.want {
				c.want[i].RuleID = c.rule
			}
			request := &checktest.RequestSpec{Files: now(), RuleIDs: []string{c.rule}, Options: c.options}
			if strings.HasPrefix(c.rule, "GRPCAUTH_NOT") || c.rule == denialSame {
				request.AgainstFiles = earlier
			}
			checktest.CheckTest{Spec: spec, Request: request, ExpectedAnnotations: c.want}.Run(t)
		})
	}
}

// An option that says nothing to the plugin would leave a check off that somebody counts on.
func TestOptionsThatCannotBeMeantAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		option string
		value  any
		want   string
	}{
		{"open_method", []string{"a.v1.A.Get"}, `unknown option "open_method"`},
		{"open_method", "a.v1.A.Get", `unknown option "open_method"`},
		{openMethods, "a.v1.A.Get", "option open_methods: write a list of strings"},
		{openMethods, []string{"/a.v1.A/Get"}, `option open_methods: "/a.v1.A/Get" is no full name`},
		{openMethods, []string{nobody, "a.v1.A.Get"}, `option open_methods: "none" is no full name`},
		{openMethods, []string{"Get"}, `option open_methods: "Get" is no full name`},
		{declaredExcept, []string{"acme.*"}, `option declared_except: "acme.*" is no full name`},
		{credentialHeaders, []string{"x key"}, `option credential_headers: "x key" is no header name`},
	} {
		_, err := inProcess(t, &checktest.RequestSpec{
			Files: &checktest.ProtoFileSpec{
				DirPaths: []string{"testdata/rules", optionLanguage}, FilePaths: []string{"after.proto"},
			},
			Options: map[string]any{c.option: c.value},
		})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: got %v, want %s", c.option, c.value, err, c.want)
		}
	}
}

// Names of headers are given as users spell them.
func TestCredentialsAreFoundInAnyCase(t *testing.T) {
	t.Parallel()
	read := settings{credentialHeaders: []string{"X-Session-Token"}}
	if !read.isCredential("x-session-token") || read.isCredential("x-session") {
		t.Error("x-session-token is one, and x-session is none")
	}
}
