package policy

import (
	"unicode"
	"unicode/utf8"
)

// isPlainText is true for text that can stand in a status message, in a diagnostic and in generated
// code without changing how the rest of the line reads: valid UTF-8 without control and format
// characters (bidirectional ones among them), line and paragraph separators.
func isPlainText(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	for _, r := range text {
		if unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) {
			return false
		}
	}
	return true
}

// whyNotLiteral says what is wrong with a literal of `equals` or `in`, without repeating it. Servers
// receive exactly such values: printable ASCII that no proxy trims.
func whyNotLiteral(literal string) string {
	if literal == "" {
		return "must not be empty"
	}
	for i := range len(literal) {
		if literal[i] < ' ' || literal[i] > '~' {
			return "must be printable ASCII"
		}
	}
	if literal[0] == ' ' || literal[len(literal)-1] == ' ' {
		return "must not begin or end with a space, which transports may trim"
	}
	return ""
}
