package connectauth

import (
	"net/http"
	"testing"
	"time"
)

// A verifier's context has the caller's deadline, if its text is one that the protocol knows.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"1H": time.Hour, "20M": 20 * time.Minute, "3S": 3 * time.Second,
		"99999999m": 99999999 * time.Millisecond, "5u": 5 * time.Microsecond, "6n": 6, "0S": 0,
		"": -1, "S": -1, "1": -1, "1s": -1, "1 S": -1, "-1S": -1, "1.5S": -1, "0x1S": -1, "1S1": -1, "S1": -1,
		"100000000m": -1, "99999999H": -1, "2562048H": -1, "2562047H": 2562047 * time.Hour,
	} {
		got, ok := timeoutOf(text, "99999999m")
		if ok != (want >= 0) || got != max(want, 0) {
			t.Errorf("%q: got %v and %t, want %v", text, got, ok, want)
		}
	}
	for text, known := range map[string]bool{"9999999999": true, "10000000000": false, "1": true, "": false, "1m": false, "-1": false} {
		ctx, cancel := withTimeout(t.Context(), http.Header{"Connect-Timeout-Ms": {text}})
		if _, has := ctx.Deadline(); has != known {
			t.Errorf("%q milliseconds: a deadline %t", text, has)
		}
		cancel()
	}
}
