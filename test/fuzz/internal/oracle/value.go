package oracle

import (
	"math/big"
	"strings"
)

// credential is what the application gets of a value: what follows the scheme, and of Basic "user / password".
// It is false for a value that is not formed as the check demands.
func (h *Header) credential(text string) (string, bool) {
	if scheme := h.scheme(); scheme != "" {
		if !hasFirstWord(text, scheme) || len(text) == len(scheme) {
			return "", false
		}
		text = text[len(scheme)+len(" "):]
		if text == "" || text[0] == ' ' || text[len(text)-1] == ' ' || !within(text, ' ', '~') {
			return "", false
		}
	}
	switch h.Check {
	case Bearer:
		return text, !strings.Contains(text, " ") && !strings.Contains(text, ",")
	case Basic:
		return userAndPassword(text)
	case Equals, In, Present, Verify:
	}
	return text, isOf(h.Type, text)
}

// hasFirstWord is true if what comes before the first space is the word, in any case of its ASCII letters.
func hasFirstWord(text, word string) bool {
	first, _, _ := strings.Cut(text, " ")
	if len(first) != len(word) {
		return false
	}
	for i := range len(word) {
		if lower(first[i]) != lower(word[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func within(text string, least, most byte) bool {
	for i := range len(text) {
		if text[i] < least || text[i] > most {
			return false
		}
	}
	return true
}

// isOf is true for a text that printing a value of the type would give.
func isOf(typ Type, text string) bool {
	switch typ {
	case String, Bytes:
		return text != ""
	case Bool:
		return text == "true" || text == "false"
	case Int64, Uint64:
	}
	number, isNumber := new(big.Int).SetString(text, 10) //nolint:mnd // decimal
	if !isNumber || number.String() != text {
		return false
	}
	if typ == Uint64 {
		return number.IsUint64()
	}
	return number.IsInt64()
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// userAndPassword reads RFC 7617 over RFC 4648, section 4: groups of four characters, padded, and no bit that
// is not needed.
func userAndPassword(text string) (string, bool) {
	digits := strings.TrimRight(text, "=")
	padding := len(text) - len(digits)
	if len(text)%4 != 0 || padding > 2 {
		return "", false
	}
	var bits strings.Builder
	for i := range len(digits) {
		at := strings.IndexByte(alphabet, digits[i])
		if at < 0 {
			return "", false
		}
		for mask := 32; mask > 0; mask /= 2 {
			bits.WriteByte("01"[min(at&mask, 1)])
		}
	}
	whole := bits.String()
	used := len(whole) / 8 * 8 //nolint:mnd // bits of a byte
	if strings.Contains(whole[used:], "1") {
		return "", false
	}
	var decoded strings.Builder
	for i := 0; i < used; i += 8 {
		var c byte
		for _, bit := range whole[i : i+8] {
			c = c<<1 | byte(bit-'0') //nolint:gosec // 0 or 1
		}
		decoded.WriteByte(c)
	}
	at := strings.Index(decoded.String(), ":")
	if at < 0 {
		return "", false
	}
	user, password := decoded.String()[:at], decoded.String()[at+1:]
	for _, part := range []string{user, password} {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return "", false
		}
	}
	return user + " / " + password, true
}
