package main

import (
	"net"
	"strings"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/example/internal/greeter"
)

func serve(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := greeter.NewServer(&greeter.Service{})
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}

func TestClient(t *testing.T) {
	t.Parallel()
	address := serve(t)
	for name, test := range map[string]struct {
		args    []string
		stdin   string
		stdout  string
		failure string
	}{
		"a greeting":       {[]string{"-addr", address}, "Ada\n", "What is your name? Hello Ada!\n", ""},
		"spaces":           {[]string{"-addr", address}, "  Ada Lovelace \r\n", "What is your name? Hello Ada Lovelace!\n", ""},
		"no final newline": {[]string{"-addr", address}, "Ada", "What is your name? Hello Ada!\n", ""},
		"the first line":   {[]string{"-addr", address}, "Ada\nGrace\n", "What is your name? Hello Ada!\n", ""},
		"without the header": {
			[]string{"-addr", address, "-no-auth"},
			"Ada\n", "What is your name? ",
			"the call was refused: Unauthenticated: Access denied!",
		},
		"no name":    {[]string{"-addr", address}, "\n", "What is your name? ", "no name was given"},
		"no input":   {[]string{"-addr", address}, "", "What is your name? ", "no name was given"},
		"wrong flag": {[]string{"-address", address}, "", "", "flags: flag provided but not defined: -address"},
		"no server": {
			[]string{"-addr", "127.0.0.1:1"},
			"Ada\n", "What is your name? ",
			"no greeter answers at 127.0.0.1:1: start one with: go run ./example/server -addr 127.0.0.1:1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout strings.Builder
			err := run(t.Context(), test.args, strings.NewReader(test.stdin), &stdout)
			if failure := text(err); failure != test.failure || stdout.String() != test.stdout {
				t.Errorf("printed %q and failed with %q; want %q and %q", stdout.String(), failure, test.stdout, test.failure)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
