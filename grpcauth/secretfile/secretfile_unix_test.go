//go:build unix

package secretfile_test

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// Opening a pipe would hold up the call until somebody writes.
func TestPipesHoldNothing(t *testing.T) {
	t.Parallel()
	for _, end := range ends {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			path, holds := end.of(t, "first")
			age(t, path, time.Hour)
			held(t, holds("first"))
			os.Remove(path)
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			unavailable(t, holds("first"), path, "it is no regular file")
		})
	}
}
