package vectors_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/vectors"
)

// A runner that passed over a field, or over a file, would promise what it doesn't test.
func TestVectorFilesAreReadStrictly(t *testing.T) {
	t.Parallel()
	const good = `{"about": "a", "rules": {"r": {"headers": [{"name": "a", "equals": "1"}]}, "s": {"headers": [{"name": "b", "bearer": {}}]}},
		"levels": {"l": {"file": {"headers": [{"name": "a", "equals": "2"}]}}, "m": {"method": {"headers": [{"name": "te", "equals": "2"}]}}},
		"verifiers": {"b bearer": {"t": {}}}, "cases": [
		{"name": "x", "rule": "r", "threats": ["T11"], "send": [["a", "1"], ["z", "1"]], "allowed": {}},
		{"name": "l", "rule": "l", "send": [["a", "2"]], "allowed": {}},
		{"name": "m", "rule": "m", "invalid": "is reserved"},
		{"name": "y", "rule": "s", "send": [["b", "Bearer t"]], "asked": [["b bearer", "t"]], "allowed": {}}]}`
	load := func(text string) error {
		_, err := vectors.Load(fstest.MapFS{"file.json": {Data: []byte(text)}})
		return err
	}
	if err := load(good); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"about": "a"`, `"about": "a", "abuot": "b"`},
		{`"equals": "1"`, `"equal": "1"`},
		{`"bearer": {}`, `"bearer": {"scope": []}`},
		{`"t": {}`, `"t": {"principle": "a"}`},
		{`"t": {}`, `"t": {}, "u": {}`},
		{`"t": {}`, `"t": {"context": "own"}`},
		{`"b bearer": {"t": {}}`, `"b bearer": {"t": {}}, "c bearer": {}`},
		{`"b bearer": {"t": {}}`, ``},
		{`"rule": "r"`, `"rule": "q"`},
		{`"rule": "l"`, `"rule": "m"`},
		{`"rule": "m"`, `"rule": "l"`},
		{`"levels": {"l"`, `"levels": {"r"`},
		{`{"file": {`, `{"fil": {`},
		{`"equals": "2"`, `"equal": "2"`},
		{`{"file": {"headers": [{"name": "a", "equals": "2"}]}}`, `{}`},
		{`"invalid": "is reserved"`, `"invalid": ""`},
		{`"invalid": "is reserved"`, `"invalid": "is reserved", "send": []`},
		{`"invalid": "is reserved"`, `"invalid": "is reserved", "allowed": {}`},
		{`"invalid": "is reserved"`, `"invalid": "is reserved", "threats": ["13"]`},
		{`"invalid": "is reserved"}`, `"invalid": "is reserved"}, {"name": "m2", "rule": "m", "invalid": "reserved"}`},
		{`{"name": "m", "rule": "m", "invalid": "is reserved"},`, ``},
		{`"rule": "r"`, `"rule": "r", "expect": 1`},
		{`"T11"`, `"11"`},
		{`["a", "1"]`, `["a", "1", "2"]`},
		{`["a", "1"]`, `["a", {"text": "1"}]`},
		{`["a", "1"]`, `["a", {"text": "1", "then": "2", "times": 2, "more": 1}]`},
		{`["a", "1"]`, `["a-bin", "1"]`},
		{`["a", "1"]`, `["a", "base64:MQ=="]`},
		{`"allowed": {}},`, `},`},
		{`"allowed": {}},`, `"allowed": {}, "refused": {"reason": "missing", "header": "a"}},`},
		{`"allowed": {}},`, `"allowed": {"values": {"a": "1"}}},`},
		{`"allowed": {}},`, `"refused": {"reason": "no", "header": "a"}},`},
		{`"allowed": {}},`, `"refused": {"reason": "missing", "header": "b"}},`},
		{`"allowed": {}},`, `"allowed": {}}, {"name": "x2", "rule": "r", "send": [["a", "1"], ["z", "2"]], "allowed": {}},`},
		{`"allowed": {}},`, `"by": "wire", "allowed": {}},`},
		{`"allowed": {}},`, `"not_over": {"HTTP/3": "why"}, "allowed": {}},`},
		{`"allowed": {}},`, `"not_over": {"HTTP/1": ""}, "allowed": {}},`},
		{`"allowed": {}},`, `"at_connect": {"why": "why"}, "refused": {"reason": "missing", "header": "a"}},`},
		{`"allowed": {}},`, `"at_connect": {"refused": {"reason": "missing", "header": "a"}}, "refused": {"reason": "missing", "header": "a"}},`},
		{`"allowed": {}},`, `"at_connect": {"why": "why", "refused": {"reason": "missing", "header": "b"}}, "refused": {"reason": "missing", "header": "a"}},`},
		{`"allowed": {}},`, `"at_connect": {"why": "why", "refused": {"reason": "missing", "header": "b"}}, "allowed": {}},`},
		{`"allowed": {}},`, `"at_gateway": {"why": "why"}, "allowed": {}},`},
		{`"allowed": {}},`, `"at_gateway": {"refused": {"reason": "missing", "header": "a"}}, "allowed": {}},`},
		{`"allowed": {}},`, `"at_gateway": {"why": "why", "refused": {"reason": "missing", "header": "b"}}, "allowed": {}},`},
		{`"allowed": {}},`, `"at_gateway": {"why": "why", "allowed": {}}, "refused": {"reason": "missing", "header": "a"}},`},
		{`"allowed": {}},`, `"by": "in process", "why": "why", "at_gateway": {"why": "why", "refused": {"reason": "missing", "header": "a"}}, "allowed": {}},`},
		{`"invalid": "is reserved"`, `"invalid": "is reserved", "not_over": {"grpc-gateway": "why"}`},
		{`"allowed": {}}]}`, `"allowed": {}}]} {}`},
	} {
		if !strings.Contains(good, change[0]) {
			t.Fatalf("%s is not in the file", change[0])
		}
		if err := load(strings.Replace(good, change[0], change[1], 1)); err == nil {
			t.Errorf("%s in place of %s is not noticed", change[1], change[0])
		}
	}
	if err := load(`{"about": "a", "cases": []}`); err == nil {
		t.Error("a file without cases is not noticed")
	}
}
