package rules

import (
	"strings"
	"testing"
)

// What a client sends is what a server of the same rule takes.
func TestWhatClientsAreToldToSend(t *testing.T) {
	t.Parallel()
	compiled, err := Compile(&Service{Name: "a.v1.A", Methods: []Method{{
		FullMethod: "/a.v1.A/Get", Denial: Denial{Code: 16},
		Headers: []Header{{Name: "x-e", Equals: "1"}, {Name: "x-o", Present: Int64, Optional: true}},
		AnyOf: [][]Header{
			{{Name: "x-b", Bearer: true, Scopes: []string{"s"}}},
			{{Name: "x-u", Basic: true}, {Name: "x-v-bin", Verify: Bytes}},
			{{Name: "x-s", Verify: String, Scheme: "S"}, {Name: "x-p-bin", Present: Bytes}},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	headers, anyOf := compiled[0].Required()
	if len(headers) != 2 || len(anyOf) != 3 || len(anyOf[0]) != 1 || len(anyOf[1]) != 2 || len(anyOf[2]) != 2 {
		t.Fatalf("%+v, %+v", headers, anyOf)
	}
	bearer, basic, bytes, scheme, value := anyOf[0][0], anyOf[1][0], anyOf[1][1], anyOf[2][0], anyOf[2][1]
	for _, test := range []struct {
		required         Required
		optional, secret bool
		literal          string
	}{
		{headers[0], false, false, "1"},
		{headers[1], true, false, ""},
		{bearer, false, true, ""},
		{basic, false, true, ""},
		{bytes, false, true, ""},
		{scheme, false, true, ""},
		{value, false, false, ""},
	} {
		if test.required.Optional != test.optional || test.required.Secret() != test.secret || test.required.Literal != test.literal {
			t.Errorf("%+v: secret %t", test.required, test.required.Secret())
		}
	}
	if scopes := bearer.Scopes(); len(scopes) != 1 || scopes[0] != "s" {
		t.Errorf("scopes %q", scopes)
	} else if scopes[0] = "edited"; bearer.Scopes()[0] != "s" {
		t.Error("the scopes are the rule's own")
	}
	for _, test := range []struct {
		required   Required
		credential Credential
		text, why  string
	}{
		{bearer, Credential{Text: "t"}, "Bearer t", ""},
		{bearer, Credential{}, "", "empty"},
		{bearer, Credential{Text: "a b"}, "", "formed"},
		{bearer, Credential{Text: "\n"}, "", "printable ASCII"},
		{basic, Credential{Username: "u", Text: "p"}, "Basic dTpw", ""},
		{basic, Credential{Username: "u", Text: "p:q"}, "Basic dTpwOnE=", ""},
		{basic, Credential{Username: "u"}, "", "empty"},
		{basic, Credential{Text: "p"}, "", "formed"},
		{basic, Credential{Username: "u:v", Text: "p"}, "", "colon"},
		{bytes, Credential{Text: "\x00"}, "\x00", ""},
		{scheme, Credential{Text: "t"}, "S t", ""},
		{scheme, Credential{Text: " t"}, "", "formed"},
		{headers[0], Credential{Text: "2"}, "", "allows"},
		{headers[1], Credential{Text: "x"}, "", "formed"},
	} {
		text, why := test.required.Compose(test.credential)
		if text != test.text || (why == "") != (test.why == "") || !strings.Contains(why, test.why) {
			t.Errorf("%s: %q, %q; want %q, %q", test.required.Header, text, why, test.text, test.why)
		}
	}
}
