package main

import (
	"path/filepath"
	"slices"
	"testing"

	"buf.build/go/bufplugin/check"
	"buf.build/go/bufplugin/check/checktest"
)

// A file whose rules have something for each lint rule, and two earlier states of it, and a file that imports it.
const (
	imported = `syntax = "proto3";
package shared.v1;
import "grpcauth/v1/options.proto";
service S {
  rpc Get(M) returns (M) {
    option (grpcauth.v1.method).public = true;
  }
  rpc Put(M) returns (M) {
    option (grpcauth.v1.method).headers = {name: "authorization" equals: "canary"};
    option (grpcauth.v1.method).denial.code = CODE_NOT_FOUND;
  }
  rpc Set(M) returns (M) {
    option (grpcauth.v1.method).headers = {name: "x-key" verify: {}};
  }
  rpc Forgotten(M) returns (M);
}
message M {}
`
	importedEarlier = `syntax = "proto3";
package shared.v1;
import "grpcauth/v1/options.proto";
service S {
  rpc Get(M) returns (M) {
    option (grpcauth.v1.method).headers = {name: "x-key" verify: {}};
  }
  rpc Put(M) returns (M) {
    option (grpcauth.v1.method).headers = {name: "authorization" equals: "canary"};
  }
  rpc Set(M) returns (M) {
    option (grpcauth.v1.method).public = true;
  }
}
message M {}
`
	importing = `syntax = "proto3";
package own.v1;
import "shared.proto";
message Own { shared.v1.M m = 1; }
`
)

// importer makes a folder with a file and the one that it imports.
func importer(t *testing.T, shared string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "shared.proto"), shared)
	write(t, filepath.Join(dir, "own.proto"), importing)
	return dir
}

// rulesOf are the rules of findings, each once.
func rulesOf(found []finding) []string {
	var rules []string
	for _, one := range found {
		rules = append(rules, one.rule)
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

// Files that are only imported belong to somebody else: nothing is said about them. But an RPC that stood in one
// and stands in a file that is checked now has got an earlier rule.
func TestImportsAreNotChecked(t *testing.T) {
	t.Parallel()
	now, earlier := importer(t, imported), importer(t, importedEarlier)
	files := func(dir string, checked ...string) *checktest.ProtoFileSpec {
		return &checktest.ProtoFileSpec{DirPaths: []string{dir, optionLanguage}, FilePaths: checked}
	}
	all, own := []string{"own.proto", "shared.proto"}, []string{"own.proto"}
	lint, breaking := idsInOrder(check.RuleTypeLint), idsInOrder(check.RuleTypeBreaking)
	options := map[string]any{openMethods: []string{nobody}}
	for name, c := range map[string]struct {
		request checktest.RequestSpec
		want    []string
	}{
		"lint, checked":        {checktest.RequestSpec{Files: files(now, all...), RuleIDs: lint, Options: options}, lint},
		"lint, imported":       {checktest.RequestSpec{Files: files(now, own...), RuleIDs: lint, Options: options}, nil},
		"breaking, checked":    {checktest.RequestSpec{Files: files(now, all...), AgainstFiles: files(earlier, all...), RuleIDs: breaking}, breaking},
		"breaking, imported":   {checktest.RequestSpec{Files: files(now, own...), AgainstFiles: files(earlier, own...), RuleIDs: breaking}, nil},
		"breaking, taken over": {checktest.RequestSpec{Files: files(now, all...), AgainstFiles: files(earlier, own...), RuleIDs: breaking}, breaking},
		"breaking, given away": {checktest.RequestSpec{Files: files(now, own...), AgainstFiles: files(earlier, all...), RuleIDs: breaking}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := inProcess(t, &c.request)
			if err != nil {
				t.Fatal(err)
			}
			if got := rulesOf(found); !slices.Equal(got, c.want) {
				t.Errorf("got findings of %q, want %q: %v", got, c.want, found)
			}
		})
	}
}

// buf says of a file of another module that it is only imported, where it is told to look at one.
func TestBufDoesNotCheckImports(t *testing.T) {
	t.Parallel()
	options := map[string]any{openMethods: []string{nobody}}
	project := func(shared string) string {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "own.proto"), importing)
		root := workspace(t, dir, options)
		write(t, filepath.Join(root, "third_party/grpcauth/shared.proto"), shared)
		return root
	}
	now, earlier := project(imported), project(importedEarlier)
	for _, c := range []struct {
		arguments []string
		want      []string
	}{
		{[]string{"lint", "third_party/grpcauth"}, idsInOrder(check.RuleTypeLint)},
		{[]string{"lint", "proto"}, nil},
		{
			[]string{"breaking", "third_party/grpcauth", "--against", filepath.Join(earlier, "third_party/grpcauth")},
			idsInOrder(check.RuleTypeBreaking),
		},
		{[]string{"breaking", "proto", "--against", filepath.Join(earlier, "proto")}, nil},
	} {
		if got := rulesOf(buf(t, now, c.arguments...)); !slices.Equal(got, c.want) {
			t.Errorf("%q: got findings of %q, want %q", c.arguments, got, c.want)
		}
	}
}

func idsInOrder(kind check.RuleType) []string { return slices.Sorted(slices.Values(ids(kind))) }
