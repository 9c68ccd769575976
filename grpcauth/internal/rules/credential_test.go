package rules

import (
	"encoding/base64"
	"strings"
	"testing"
)

// What follows a scheme, spelled out beside the vectors, which reach the parser through a transport that lets
// no control characters pass.
func TestAfterScheme(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, scheme, rest string
		ok                 bool
	}{
		{"Bearer a", "Bearer", "a", true},
		{"bEARER a", "Bearer", "a", true},
		{"Bearer a b", "Bearer", "a b", true},
		{"Bearer ~", "Bearer", "~", true},
		{"Bearer !", "Bearer", "!", true},
		{"S a", "S", "a", true},
		{"", "Bearer", "", false},
		{"a", "Bearer", "", false},
		{"Bearer", "Bearer", "", false},
		{"Bearer ", "Bearer", "", false},
		{"Bearera", "Bearer", "", false},
		{"Bearer\ta", "Bearer", "", false},
		{" Bearer a", "Bearer", "", false},
		{"Bearer  a", "Bearer", "", false},
		{"Bearer a ", "Bearer", "", false},
		{"Bearer a\x1f", "Bearer", "", false},
		{"Bearer a\x7f", "Bearer", "", false},
		{"Bearer é", "Bearer", "", false},
		{"Baſic eDp5", "Basic", "", false}, // a long s, which folds to s and takes two bytes
		{"Basi eDp5", "Basic", "", false},
	} {
		rest, ok := afterScheme(test.text, test.scheme)
		if ok != test.ok || ok && rest != test.rest {
			t.Errorf("%q: %q, %t; want %q, %t", test.text, rest, ok, test.rest, test.ok)
		}
	}
	if hasScheme("Baſic eDp5", "Basic") || hasScheme("Basi", "Basic") || !hasScheme("BASIC", "Basic") {
		t.Error("a scheme is another word than itself")
	}
}

func TestIsToken(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"a": true, "!~": true, "a.b-c_d=": true, "a b": false, " a": false, "a,b": false, "a\x1f": false, "a\x7f": false,
		"é": false, "a\t": false,
	} {
		if got := isToken(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}

func TestParseBasic(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		decoded string
		want    Credential
		ok      bool
	}{
		{"a:b", Credential{Username: "a", Text: "b"}, true},
		{"a:b:c", Credential{Username: "a", Text: "b:c"}, true},
		{"a::", Credential{Username: "a", Text: ":"}, true},
		{" : ", Credential{Username: " ", Text: " "}, true},
		{"é:~", Credential{Username: "é", Text: "~"}, true},
		{"", Credential{}, false},
		{"a", Credential{}, false},
		{":", Credential{}, false},
		{"a:", Credential{}, false},
		{":b", Credential{}, false},
		{"a\x1f:b", Credential{}, false},
		{"a\x00:b", Credential{}, false},
		{"a\x7f:b", Credential{}, false},
		{"a:b\x1f", Credential{}, false},
		{"a:\x7fb", Credential{}, false},
	} {
		got, ok := parseBasic(base64.StdEncoding.EncodeToString([]byte(test.decoded)))
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%q: %+v, %t", test.decoded, got, ok)
		}
		if ok && formatBasic(got) != base64.StdEncoding.EncodeToString([]byte(test.decoded)) {
			t.Errorf("%q comes back as %q", test.decoded, formatBasic(got))
		}
	}
	for _, text := range []string{"YTpi=", "YTp", "YTo_Pw==", "YTpiY==", "?"} {
		if got, ok := parseBasic(text); ok || strings.Contains(got.Text, "b") {
			t.Errorf("%q: %+v, %t", text, got, ok)
		}
	}
}
