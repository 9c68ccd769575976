package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"buf.build/go/bufplugin/check"
	"buf.build/go/bufplugin/check/checktest"
)

// A project whose copy of the option language has another number for a field: rules cannot be read with it.
const (
	numberOfPublic = "bool public = 1;"
	otherNumber    = "bool public = 19;"

	wrongLanguage = "grpcauth.v1.Rule.public: has number 19, and 1 in this protoc-gen-go-grpcauth: " +
		"use the grpcauth/v1/options.proto that comes with it"
)

const oneRule = `syntax = "proto3";
package a.v1;
import "grpcauth/v1/options.proto";
service A {
  option (grpcauth.v1.service).headers = {name: "authorization" equals: "canary"};
  rpc Get(M) returns (M);
}
message M {}
`

// foreign makes a folder with a.proto and the other copy of the option language.
func foreign(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(optionLanguage + "/grpcauth/v1/options.proto")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), numberOfPublic) != 1 {
		t.Fatalf("options.proto does not say %q once", numberOfPublic)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "grpcauth/v1/options.proto"), strings.Replace(string(text), numberOfPublic, otherNumber, 1))
	write(t, filepath.Join(dir, "a.proto"), oneRule)
	return dir
}

// own makes a folder with a.proto, which imports ours.
func own(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.proto"), oneRule)
	return dir
}

// Nothing is said about rules that cannot be read, except that they cannot: not even that nothing is wrong.
func TestOtherLanguageIsReported(t *testing.T) {
	t.Parallel()
	spec := func(dirs ...string) *checktest.ProtoFileSpec {
		return &checktest.ProtoFileSpec{DirPaths: dirs, FilePaths: []string{"a.proto"}}
	}
	theirs, ours := spec(foreign(t)), spec(own(t), optionLanguage)
	const notComparable = "rules cannot be compared with the earlier ones"
	for name, c := range map[string]struct {
		request checktest.RequestSpec
		want    []string
	}{
		"lint": {
			checktest.RequestSpec{
				Files: theirs, RuleIDs: ids(check.RuleTypeLint), Options: map[string]any{openMethods: []string{nobody}},
			},
			[]string{valid + " " + wrongLanguage},
		},
		"breaking, now": {
			checktest.RequestSpec{Files: theirs, AgainstFiles: ours, RuleIDs: ids(check.RuleTypeBreaking)},
			[]string{
				notTightened + " " + strings.Replace(wrongLanguage, ": ", ": "+notComparable+": ", 1),
				notWeakened + " " + strings.Replace(wrongLanguage, ": ", ": "+notComparable+": ", 1),
			},
		},
		"breaking, earlier": {
			checktest.RequestSpec{Files: ours, AgainstFiles: theirs, RuleIDs: ids(check.RuleTypeBreaking)},
			[]string{
				notTightened + " " + notComparable + ", which say: " + wrongLanguage,
				notWeakened + " " + notComparable + ", which say: " + wrongLanguage,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := inProcess(t, &c.request)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, one := range found {
				got = append(got, one.rule+" "+one.message)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// buf shows what is wrong with a file that is only imported, and with the earlier version.
func TestBufReportsTheOtherLanguage(t *testing.T) {
	t.Parallel()
	project := func(protos, language string) string {
		root := workspace(t, protos, nil)
		if err := os.RemoveAll(filepath.Join(root, "third_party/grpcauth")); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(root, "third_party/grpcauth"), os.DirFS(language)); err != nil {
			t.Fatal(err)
		}
		return root
	}
	dir := foreign(t)
	if err := os.Remove(filepath.Join(dir, "a.proto")); err != nil {
		t.Fatal(err)
	}
	theirs, ours := project(own(t), dir), project(own(t), optionLanguage)
	for name, arguments := range map[string][]string{
		theirs + " lint":     {"lint", "proto"},
		theirs + " breaking": {"breaking", "--against", ours},
		ours + " breaking":   {"breaking", "--against", theirs},
	} {
		root, command, _ := strings.Cut(name, " ")
		stdout, stderr, status := run(t, root, arguments...)
		const hasFindings = 100
		if status != hasFindings || !strings.Contains(stdout, "grpcauth.v1.Rule.public: ") {
			t.Errorf("%s exits with %d and says:\n%s%s", command, status, stdout, stderr)
		}
	}
}
