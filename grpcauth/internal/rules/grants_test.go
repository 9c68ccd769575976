package rules

import (
	"context"
	"testing"
	"time"
)

// The clock tells, or the context does: either can be ahead of the other.
func TestExpired(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(ErrExpired)
	canceled, stop := context.WithCancel(t.Context())
	stop()
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for name, c := range map[string]struct {
		bounded context.Context
		expiry  time.Time
		want    bool
	}{
		"neither":                 {t.Context(), future, false},
		"the clock":               {t.Context(), past, true},
		"the context":             {ended, future, true},
		"both":                    {ended, past, true},
		"ended by something else": {canceled, future, false},
	} {
		if got := Expired(c.bounded, c.expiry); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
