package main

import (
	"os"
	"strings"
	"testing"
)

// What `make browser` prints, as a test. It needs what that installs. CI has a step for that, and skips this.
func TestPagesInChromium(t *testing.T) {
	if os.Getenv("GRPCAUTH_CHROMIUM") == "" && os.Getenv("GRPCAUTH_TOOLS") != "required" {
		t.Skip("Chromium is not installed: run `make browser`")
	}
	var out strings.Builder
	failed, err := run(t.Context(), &out)
	if err != nil {
		t.Fatal(err)
	}
	if failed > 0 {
		t.Errorf("%d lines are not as they should be:\n%s", failed, &out)
	}
}
