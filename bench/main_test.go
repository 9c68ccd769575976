package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/refusals"
)

// This test's binary is also the server of refused calls.
func TestMain(m *testing.M) {
	asked, err := refusals.ServeIfAsked(os.Stdin, os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case !asked:
		os.Exit(m.Run())
	}
}

func TestRunOfOneGroup(t *testing.T) {
	t.Parallel()
	var out, progress strings.Builder
	if err := run([]string{"-rounds", "1", "-only", "unconcerned/interceptor$"}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "targets: ") || !strings.HasSuffix(last, " of 2 met") {
		t.Errorf("the last line is %q", last)
	}
	if !strings.Contains(out.String(), "health check  interceptor  ") || strings.Contains(out.String(), "merged of") {
		t.Errorf("printed:\n%s", out.String())
	}
	if progress.String() != "unconcerned: 1 rounds, 0 s\n" {
		t.Errorf("progress: %q", progress.String())
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ args, want string }{
		{"-only (", "-only: "},
		{"-only check/(", "-only: "},
		{"-write -short", "-write needs all figures"},
		{"-write -only check", "-write needs all figures"},
		{"-rounds -1", "-rounds must"},
		{"check", `unexpected argument "check"`},
	} {
		if _, err := parse(strings.Fields(test.args)); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v", test.args, err)
		}
	}
	if got, err := parse([]string{"-short"}); err != nil || got.plan != brief() || !got.entire || got.write {
		t.Errorf("-short: %+v, %v", got, err)
	}
	if got, err := parse([]string{"-rounds", "7", "-write"}); err != nil || got.plan != (plan{7, 7, 7, 7, 7, 7}) || !got.write {
		t.Errorf("-rounds: %+v, %v", got, err)
	}
}
