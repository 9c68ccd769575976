package rules

import (
	"encoding/base64"
	"strings"
)

// afterScheme returns what follows an authentication scheme (RFC 9110, 11.4). The scheme matches without
// regard to case and is followed by exactly one space and printable ASCII without spaces at its edges.
func afterScheme(text, scheme string) (string, bool) {
	if !hasScheme(text, scheme) || len(text) < len(scheme)+len(" x") {
		return "", false
	}
	rest := text[len(scheme)+1:]
	return rest, isPrintableASCII(rest) && rest[0] != ' ' && rest[len(rest)-1] != ' '
}

// hasScheme is true if the first word of the text is the scheme, whatever follows it.
func hasScheme(text, scheme string) bool {
	word, _, _ := strings.Cut(text, " ")
	return len(word) == len(scheme) && strings.EqualFold(word, scheme)
}

// isToken is true for one word of visible ASCII. RFC 6750 allows less, but tokens in use hold more than it
// allows. A comma is refused: it is how proxies join the values of a header that was sent twice.
func isToken(text string) bool {
	return isPrintableASCII(text) && !strings.ContainsAny(text, " ,")
}

// parseBasic reads user-id and password (RFC 7617): canonical base64, of which the first colon splits. Both
// must be non-empty: back ends exist that take an empty password for an anonymous login. The text is what
// afterScheme lets through: of line ends, the decoder below would take no notice.
func parseBasic(text string) (Credential, bool) {
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return Credential{}, false
	}
	username, password, _ := strings.Cut(string(decoded), ":") // without a colon there is no password
	ok := username != "" && password != "" && !holdsControl(username) && !holdsControl(password)
	return Credential{Username: username, Text: password}, ok
}

// formatBasic is the reverse. A user name with a colon, or anything else that parseBasic refuses, comes back
// as other values or none.
func formatBasic(c Credential) string {
	return base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Text))
}

// isPrintableASCII is what gRPC's wire format allows in the value of a key without -bin.
func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func holdsControl(text string) bool {
	const del = 0x7f
	for i := range len(text) {
		if text[i] < ' ' || text[i] == del {
			return true
		}
	}
	return false
}
