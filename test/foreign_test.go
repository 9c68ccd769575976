package test

import (
	"os/exec"
	"testing"
)

// The project in foreign/ is a module of its own, as a user's is, so `go test ./...` does not reach it.
func TestForeignProjectCompilesAndEnforces(t *testing.T) {
	t.Parallel()
	for _, arguments := range [][]string{{"vet", "./..."}, {"test", "-count=1", "./..."}} {
		command := exec.CommandContext(t.Context(), "go", arguments...)
		command.Dir = "foreign"
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("go %v in foreign/: %v\n%s", arguments, err, out)
		}
	}
}
