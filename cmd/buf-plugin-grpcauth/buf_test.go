package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"buf.build/go/bufplugin/check"
)

// buf lists all rules with their purposes, in the category, as rules that are on by default.
func TestBufListsTheRules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), oneRule)
	root := workspace(t, dir, nil)
	for command, kind := range map[string]check.RuleType{
		"ls-lint-rules": check.RuleTypeLint, "ls-breaking-rules": check.RuleTypeBreaking,
	} {
		stdout, stderr, status := run(t, root, "config", command)
		if status != 0 {
			t.Fatalf("%s exits with %d:\n%s", command, status, stderr)
		}
		listed := 0
		for line := range strings.Lines(stdout) {
			if strings.HasPrefix(line, category+"_") {
				listed++
			}
		}
		for _, one := range spec.Rules {
			if one.Type != kind {
				continue
			}
			listed--
			found := false
			for line := range strings.Lines(stdout) {
				fields := strings.Fields(line)
				found = found || len(fields) > 3 && fields[0] == one.ID && fields[1] == category && fields[2] == "*" &&
					strings.HasSuffix(strings.TrimSpace(line), "  "+one.Purpose)
			}
			if !found {
				t.Errorf("%s does not list %s with %q:\n%s", command, one.ID, one.Purpose, stdout)
			}
		}
		if listed != 0 {
			t.Errorf("%s lists %d rules more than there are:\n%s", command, listed, stdout)
		}
	}
}

// A comment leaves a finding out: before the service or the method, or before an option statement of its own.
func TestBufLeavesOutWhatCommentsSay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), `syntax = "proto3";
package a.v1;
import "grpcauth/v1/options.proto";
// buf:lint:ignore GRPCAUTH_NO_LITERAL_CREDENTIAL
service A {
  option (grpcauth.v1.service) = {
    headers: {name: "authorization" equals: "canary"}
  };
  rpc Get(M) returns (M);
}
service B {
  // buf:lint:ignore GRPCAUTH_NO_LITERAL_CREDENTIAL
  option (grpcauth.v1.service).headers = {name: "authorization" equals: "canary"};
  option (grpcauth.v1.service).headers = {name: "x-api-key" equals: "canary"};
  rpc Get(M) returns (M);
}
message M {}
`)
	found := buf(t, workspace(t, dir, nil), "lint", "proto")
	if len(found) != 1 || found[0].line != 14 || found[0].rule != noLiteral {
		t.Errorf("got %v, want one finding in line 14", found)
	}
}

// An extension of somebody else that has our number is reported, and so is what is wrong beside it.
func TestBufReportsATakenNumber(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text, err := os.ReadFile(generatorCorpus + "/number_taken/a.proto")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "a.proto"), string(text))
	found := buf(t, workspace(t, dir, nil), "lint", "proto")
	if len(found) != 2 || found[0].line != 10 || found[1].line != 15 ||
		!strings.HasPrefix(found[0].message, "a.v1.legacy: number 74201 is that of grpcauth.v1.method") {
		t.Errorf("got %v", found)
	}
}

// An option of the plugin that cannot be meant fails the check.
func TestBufRefusesUnknownOptions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), oneRule)
	root := workspace(t, dir, map[string]any{"open_method": []string{"a.v1.A.Get"}})
	_, stderr, status := run(t, root, "lint")
	if status == 0 || !strings.Contains(stderr, `unknown option "open_method"`) {
		t.Errorf("exit status %d:\n%s", status, stderr)
	}
}

// Users who only build and generate do not need the plugin that buf.yaml names.
func TestBufGeneratesWithoutThePlugin(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), oneRule)
	root := workspace(t, dir, nil)
	config, err := os.ReadFile(filepath.Join(root, "buf.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	missing := strings.Replace(string(config), program(t), "buf-plugin-that-is-not-installed", 1)
	write(t, filepath.Join(root, "buf.yaml"), missing)
	write(t, filepath.Join(root, "buf.gen.yaml"), "version: v2\nplugins:\n  - protoc_builtin: python\n    out: gen\n    protoc_path: "+
		find(t, "GRPCAUTH_PROTOC", "protoc")+"\n")
	for _, arguments := range [][]string{{"build"}, {"generate"}} {
		if _, stderr, status := run(t, root, arguments...); status != 0 {
			t.Errorf("buf %s exits with %d:\n%s", arguments[0], status, stderr)
		}
	}
	if _, stderr, status := run(t, root, "lint"); status == 0 || !strings.Contains(stderr, "not-installed") {
		t.Errorf("buf lint, without its plugin, exits with %d:\n%s", status, stderr)
	}
}

// This repository's own buf.yaml, and its greeter.
const (
	itsPlugin  = `["go", "run", "-C", "cmd/buf-plugin-grpcauth", "."]`
	itsGreeter = "example/greeter/v1/greeter.proto"

	greetersRule   = `  option (grpcauth.v1.service).headers = {name: "authorization" equals: "42"};` + "\n"
	greetersDenial = `  option (grpcauth.v1.service).denial = {message: "Access denied!"};` + "\n"
)

// repository copies what buf reads of this repository, with the plugin built.
func repository(t *testing.T, change func(greeter string) string) string {
	t.Helper()
	const top = "../.."
	root := t.TempDir()
	for _, folder := range []string{"proto/options", "example"} {
		if err := os.CopyFS(filepath.Join(root, folder), os.DirFS(filepath.Join(top, folder))); err != nil {
			t.Fatal(err)
		}
	}
	config, err := os.ReadFile(filepath.Join(top, "buf.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(config), itsPlugin) != 1 {
		t.Fatalf("buf.yaml does not run the plugin as %s", itsPlugin)
	}
	write(t, filepath.Join(root, "buf.yaml"), strings.Replace(string(config), itsPlugin, program(t), 1))
	greeter, err := os.ReadFile(filepath.Join(root, itsGreeter))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, itsGreeter), change(string(greeter)))
	return root
}

func asItIs(greeter string) string { return greeter }

func TestTheRepositoryKeepsItsOwnRules(t *testing.T) {
	t.Parallel()
	root := repository(t, asItIs)
	if found := buf(t, root, "lint"); len(found) > 0 {
		t.Errorf("buf lint finds %v", found)
	}
	if found := buf(t, root, "breaking", "--against", repository(t, asItIs)); len(found) > 0 {
		t.Errorf("buf breaking finds %v", found)
	}
}

// The greeter needs the comment that allows its literal.
func TestTheGreetersExceptionIsNeeded(t *testing.T) {
	t.Parallel()
	found := buf(t, repository(t, func(greeter string) string {
		return strings.Replace(greeter, "// buf:lint:ignore "+noLiteral+"\n", "//\n", 1)
	}), "lint")
	if len(found) != 1 || found[0].rule != noLiteral || !strings.HasSuffix(found[0].path, "greeter.proto") {
		t.Errorf("got %v", found)
	}
}

// Whoever takes the greeter's header away is told, RPC by RPC, by buf's exit status too. buf's own rules say
// nothing.
func TestAWeakenedGreeterIsNoticed(t *testing.T) {
	t.Parallel()
	earlier := repository(t, asItIs)
	var line int
	weakened := repository(t, func(greeter string) string {
		before, after, found := strings.Cut(greeter, greetersRule+greetersDenial)
		if !found {
			t.Fatalf("the greeter does not say:\n%s%s", greetersRule, greetersDenial)
		}
		line = strings.Count(before, "\n") + 1
		return before + "  option (grpcauth.v1.service).public = true;\n" + after
	})
	stdout, stderr, status := run(t, weakened, "breaking", "--against", earlier)
	var want strings.Builder
	for _, method := range []string{"SayHello", "RepeatHello", "GreetTogether", "GreetInTurn"} {
		fmt.Fprintf(&want, "%s:%d:3:greeter.v1.Greeter.%s: some call that was refused would now pass; "+
			"before: authorization (equals); now: public (%s)\n", itsGreeter, line, method, program(t))
	}
	const hasFindings = 100
	if got := sorted(stdout); got != sorted(want.String()) || status != hasFindings {
		t.Errorf("exit status %d, got:\n%s%s\nwant:\n%s", status, got, stderr, want.String())
	}
}
