package connectauth

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// withTimeout gives ctx the deadline that the caller sent, so that verifiers see it. The handler reads it
// again, and refuses a header that its protocol does not know.
func withTimeout(ctx context.Context, header http.Header) (context.Context, context.CancelFunc) {
	timeout, ok := timeoutOf(header.Get("Connect-Timeout-Ms")+"m", "9999999999m")
	if strings.HasPrefix(header.Get("Content-Type"), "application/grpc") {
		timeout, ok = timeoutOf(header.Get("Grpc-Timeout"), "99999999m")
	}
	if !ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, timeout)
}

// timeoutOf reads a number and gRPC's letter for its unit. It is false for a text that is not formed so, or
// is longer than the longest one.
func timeoutOf(text, longest string) (time.Duration, bool) {
	units := map[byte]time.Duration{
		'H': time.Hour, 'M': time.Minute, 'S': time.Second,
		'm': time.Millisecond, 'u': time.Microsecond, 'n': time.Nanosecond,
	}
	if text == "" || len(text) > len(longest) {
		return 0, false
	}
	const decimal, bits = 10, 64
	unit, known := units[text[len(text)-1]]
	number, err := strconv.ParseInt(text[:len(text)-1], decimal, bits)
	if !known || err != nil || number < 0 || number > math.MaxInt64/int64(unit) {
		return 0, false
	}
	return time.Duration(number) * unit, true
}
