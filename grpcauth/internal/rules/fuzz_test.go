package rules

import (
	"encoding/base64"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	canonicalSigned   = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	canonicalUnsigned = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)
)

// FuzzParse compares the parser of typed values with a naive reading of "canonical decimal": the spelling
// by a regular expression, the range by arithmetic without limits.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "0", "-0", "+1", "07", "7", "-7", " 7", "7 ", "0x7", "1e3", "٣", "true", "True", "1",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
		"18446744073709551615", "18446744073709551616",
	} {
		f.Add(text)
	}
	smallest, largest := big.NewInt(-1<<63), new(big.Int).SetUint64(1<<64-1)
	f.Fuzz(func(t *testing.T, text string) {
		number, isNumber := new(big.Int).SetString(text, 10)
		signed := isNumber && canonicalSigned.MatchString(text) && number.IsInt64() && number.Cmp(smallest) >= 0
		unsigned := isNumber && canonicalUnsigned.MatchString(text) && number.IsUint64() && number.Cmp(largest) <= 0
		for _, test := range []struct {
			typ  Type
			want bool
		}{
			{Int64, signed},
			{Uint64, unsigned},
			{Bool, text == "true" || text == "false"},
			{String, text != ""},
			{Bytes, text != ""},
			{0, false},
		} {
			if _, got := parse(test.typ, text); got != test.want {
				t.Errorf("parse(%d, %q) = %t, want %t", test.typ, text, got, test.want)
			}
		}
		if bits, ok := parse(Int64, text); ok && int64(bits) != number.Int64() {
			t.Errorf("parse(Int64, %q) gives %d", text, int64(bits))
		}
		if bits, ok := parse(Uint64, text); ok && bits != number.Uint64() {
			t.Errorf("parse(Uint64, %q) gives %d", text, bits)
		}
	})
}

// FuzzScheme compares the parser of schemes with a reading of RFC 9110's grammar, one character at a time.
func FuzzScheme(f *testing.F) {
	for _, text := range []string{
		"", "Bearer", "Bearer ", "Bearer t", "bearer t", "BEARER t", "Bearer  t", "Bearer\tt", "Bearert", "Bearer t ", "Bearer t,t",
		"Bearer t t", " Bearer t", "Bearer\u00a0t", "Bearer \u00e9", "Bearer 7", "Bearer -07", "Bearer true", "Basic t", "Bea\u017fer t",
	} {
		f.Add(text, "Bearer")
	}
	f.Add("DPoP 7", "DPoP")
	f.Add("\u212a t", "K") // the Kelvin sign folds to k
	f.Add("\u017f t", "ss")
	f.Fuzz(func(t *testing.T, text, scheme string) {
		if !declarable.MatchString(scheme) {
			scheme = "Bearer"
		}
		rest, named := naiveScheme(text, scheme)
		visible := named && rest != "" && naivePrintable(rest) && strings.Trim(rest, " ") == rest
		if got := hasScheme(text, scheme); got != (named || naiveLower(text) == naiveLower(scheme)) {
			t.Errorf("hasScheme(%q, %q) = %t", text, scheme, got)
		}
		if got, ok := afterScheme(text, scheme); ok != visible || ok && got != rest {
			t.Errorf("afterScheme(%q, %q) = %q, %t; want %q, %t", text, scheme, got, ok, rest, visible)
		}
		verified := header{Slot: Slot{Kind: Verified, Scheme: scheme}, typ: String}
		if got, reason := verified.parse(text); (reason == Allowed) != visible || visible && got.Text != rest {
			t.Errorf("%q with scheme %q: %v, %q", text, scheme, reason, got.Text)
		}
		if !strings.EqualFold(scheme, "bearer") {
			return
		}
		bearer := header{Slot: Slot{Kind: Bearer}}
		one := visible && !strings.ContainsRune(rest, ' ') && !strings.ContainsRune(rest, ',')
		if got, reason := bearer.parse(text); (reason == Allowed) != one || one && got.Text != rest {
			t.Errorf("%q as Bearer: %v, %q", text, reason, got.Text)
		}
	})
}

var declarable = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)

// naiveScheme returns what follows the scheme and one space.
func naiveScheme(text, scheme string) (rest string, found bool) {
	for i := range len(scheme) + 1 {
		if i == len(text) {
			return "", false
		}
		if i == len(scheme) {
			return text[i+1:], text[i] == ' '
		}
		if naiveLower(text[i:i+1]) != naiveLower(scheme[i:i+1]) {
			return "", false
		}
	}
	return "", false
}

// naiveLower knows the letters of ASCII and no others.
func naiveLower(text string) string {
	const upper, lower = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
	folded := []byte(text)
	for i, c := range folded {
		if at := strings.IndexByte(upper, c); at >= 0 {
			folded[i] = lower[at]
		}
	}
	return string(folded)
}

func naivePrintable(text string) bool {
	for _, r := range text {
		if r > unicode.MaxASCII || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// FuzzBasic compares the parser of Basic credentials with net/http's. It is stricter in what is said here and
// in nothing else: the base64 is the one that an encoder writes, and both parts are there, without controls.
func FuzzBasic(f *testing.F) {
	for _, decoded := range []string{
		"ann:pw", "ann", ":", "ann:", ":pw", "ann:p:w", "ann:pw\x00", "a\x7f:pw", "\u00e9:\xff", "ann:pw\n", "a:b", "an:b", "", "???:>>>",
	} {
		f.Add(base64.StdEncoding.EncodeToString([]byte(decoded)))
		f.Add(base64.RawStdEncoding.EncodeToString([]byte(decoded)))
		f.Add(base64.URLEncoding.EncodeToString([]byte(decoded)))
	}
	f.Add("YTpi\n")
	f.Add("YW46Yh==") // one bit too many
	f.Add("YTpi=")
	f.Fuzz(func(t *testing.T, text string) {
		request := http.Request{Header: http.Header{"Authorization": {"Basic " + text}}}
		username, password, ok := request.BasicAuth()
		canonical := base64.StdEncoding.EncodeToString([]byte(username+":"+password)) == text
		controls := func(r rune) bool { return r < ' ' || r == '\x7f' }
		want := ok && canonical && username != "" && password != "" && !strings.ContainsFunc(username+password, controls)
		got, reason := (&header{Slot: Slot{Kind: Basic}}).parse("bASIC " + text)
		if (reason == Allowed) != want || want && (got.Username != username || got.Text != password) {
			t.Errorf("%q as Basic gives %v, %q, %q; want %t, %q, %q",
				text, reason, got.Username, got.Text, want, username, password)
		}
		if want && formatBasic(got) != text {
			t.Errorf("formatBasic does not give back %q", text)
		}
	})
}
