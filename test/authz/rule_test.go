package authz

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// header demands one of some literals, or with none of them any value.
type header struct {
	name     string
	literals []string
}

// rule is what both can express: headers, and alternatives beside them.
type rule struct {
	headers []header
	anyOf   [][]header
}

// all are the headers of the rule and of its alternatives.
func (r rule) all() []header { return slices.Concat(append([][]header{r.headers}, r.anyOf...)...) }

// random is any rule of few names and literals, so that headers, alternatives and calls meet.
func random(source *rand.Rand) rule {
	names := []string{"authorization", "x-a", "x-b", "x-c", "x-d"}
	source.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	pick := func(from []string) []header {
		var picked []header
		for _, name := range from[:1+source.IntN(len(from))] {
			picked = append(picked, header{name, [][]string{nil, {"a"}, {"a,b"}, {"a", "B"}, {"b", "a,b", "a"}}[source.IntN(5)]})
		}
		return picked
	}
	var made rule
	if source.IntN(3) > 0 {
		made.headers = pick(names[:2])
	}
	for range source.IntN(3) {
		made.anyOf = append(made.anyOf, pick(names[2:]))
	}
	return made
}

// table is the rule as generated code states it.
func (r rule) table(fullMethod string) authimpl.Method {
	list := func(headers []header) []authimpl.Header {
		var stated []authimpl.Header
		for _, h := range headers {
			one := authimpl.Header{Name: h.name}
			switch len(h.literals) {
			case 0:
				one.Present = authimpl.String
				if strings.HasSuffix(h.name, "-bin") {
					one.Present = authimpl.Bytes
				}
			case 1:
				one.Equals = h.literals[0]
			default:
				one.In = h.literals
			}
			stated = append(stated, one)
		}
		return stated
	}
	method := authimpl.Method{
		FullMethod: fullMethod, Headers: list(r.headers), Public: len(r.headers)+len(r.anyOf) == 0,
		Denial: authimpl.Denial{Code: codes.PermissionDenied, Message: "no"},
	}
	for _, alternative := range r.anyOf {
		method.AnyOf = append(method.AnyOf, list(alternative))
	}
	return method
}

// The JSON of grpc/authz, see gRFC A43.
type (
	policy struct {
		Name  string  `json:"name"`
		Allow []allow `json:"allow_rules"`
	}
	allow struct {
		Name    string  `json:"name"`
		Request request `json:"request"`
	}
	request struct {
		Paths   []string `json:"paths"`
		Headers []values `json:"headers,omitempty"`
	}
	values struct {
		Key    string   `json:"key"`
		Values []string `json:"values"`
	}
)

// policyOf has one entry for each alternative of each rule.
func policyOf(t *testing.T, rules map[string]rule) string {
	t.Helper()
	made := policy{Name: "rules"}
	for path, rule := range rules {
		alternatives := rule.anyOf
		if len(alternatives) == 0 {
			alternatives = [][]header{nil}
		}
		for i, alternative := range alternatives {
			entry := allow{Name: fmt.Sprintf("%s %d", path, i), Request: request{Paths: []string{path}}}
			for _, h := range slices.Concat(rule.headers, alternative) {
				literals := h.literals
				if len(literals) == 0 {
					literals = []string{"*"}
				}
				entry.Request.Headers = append(entry.Request.Headers, values{h.name, literals})
			}
			made.Allow = append(made.Allow, entry)
		}
	}
	text, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// joined is grpc/authz's reading: the values of a key are one, with commas in between.
func (r rule) joined(md map[string][]string) bool {
	pass := func(headers []header) bool {
		return !slices.ContainsFunc(headers, func(h header) bool {
			value := strings.Join(md[h.name], ",")
			return value == "" || len(h.literals) > 0 && !slices.Contains(h.literals, value)
		})
	}
	return pass(r.headers) && (len(r.anyOf) == 0 || slices.ContainsFunc(r.anyOf, pass))
}

// differs says why the two do not read the call alike: DESIGN's "exactly once", which holds for every header that
// the rule names, whichever alternative passes, and refuses what is empty or too long.
func (r rule) differs(md map[string][]string) string {
	const most = 8192
	for _, h := range r.all() {
		switch values := md[h.name]; {
		case len(values) > 1:
			return "repeated"
		case len(values) == 1 && values[0] == "":
			return "empty"
		case len(values) == 1 && len(values[0]) > most:
			return "long"
		}
	}
	return ""
}
