package main

import (
	"os"
	"strings"
	"testing"
)

// What `make interop` prints, as a test. It needs what that installs. CI has a step for that, and skips this.
func TestPeersInOtherLanguages(t *testing.T) {
	if os.Getenv("GRPCAUTH_NODE_MODULES") == "" && os.Getenv("GRPCAUTH_TOOLS") != "required" {
		t.Skip("the peers are not installed: run `make interop`")
	}
	var out strings.Builder
	failed, err := run(t.Context(), &out)
	if err != nil {
		t.Fatal(err)
	}
	if failed > 0 {
		t.Errorf("%d calls were not as they should be:\n%s", failed, &out)
	}
}
