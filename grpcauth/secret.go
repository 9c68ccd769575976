package grpcauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// redacted is all that a Secret shows of itself.
const redacted = "[redacted]"

// Secret is a credential that does not show itself: package fmt, log/slog and encoding/json print "[redacted]"
// or, where it stands in an unexported field, at any rate nothing of the value. Only Reveal gives it out.
// It cannot be compared with ==; use Equal. The zero Secret is empty.
type Secret struct {
	// A function, because printers that look into unexported fields do not look into functions, and
	// because structs with functions cannot be compared with ==, which would not take constant time.
	reveal func() string
}

// NewSecret makes a secret of the value: a token, a key, a password, or the raw bytes of a -bin key.
func NewSecret(value string) Secret {
	return Secret{reveal: func() string { return value }}
}

// Reveal returns the value.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// Equal compares the values in a time that does not depend on what they hold or share.
func (s Secret) Equal(other Secret) bool {
	ours, theirs := s.hash(), other.hash()
	return subtle.ConstantTimeCompare(ours[:], theirs[:]) == 1
}

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// Format prints "[redacted]" for every verb of package fmt.
func (Secret) Format(state fmt.State, _ rune) {
	_, _ = io.WriteString(state, redacted) // package fmt collects its own errors
}

// LogValue is "[redacted]" in package log/slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "[redacted]", in encoding/json and wherever else text is encoded.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// hash gives values of every length the same length, so that a comparison does not tell it.
func (s Secret) hash() [sha256.Size]byte { return sha256.Sum256([]byte(s.Reveal())) }

// BasicAuth is a user name and a password (RFC 7617). The name must be non-empty and hold no colon, the
// password must be non-empty, and neither may hold control characters.
type BasicAuth struct {
	Username string
	Password Secret
}
