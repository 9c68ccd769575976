package rules

import (
	"math/big"
	"regexp"
	"testing"
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
