package grpcauth_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// The format of testdata/vectors, which its README.md describes field by field.
type (
	vectorFile struct {
		theme    string                     // the file's name
		findings map[string]policy.Findings // what is wrong with levels, by name

		About         string                             `json:"about"`
		MaxValueBytes int                                `json:"max_value_bytes"`
		Meddling      bool                               `json:"meddling"`
		Excepted      bool                               `json:"excepted"`
		Rules         map[string]*vectorRule             `json:"rules"`
		Levels        map[string]*vectorLevels           `json:"levels"`
		Verifiers     map[string]map[string]vectorAnswer `json:"verifiers"`
		Cases         []*vectorCase                      `json:"cases"`
	}

	// vectorRule is a grpcauth.v1.Rule in proto3's JSON form, with the fields' names as in the .proto.
	vectorRule struct {
		Public    bool                `json:"public"`
		GuardedBy string              `json:"guarded_by"`
		Headers   []vectorHeader      `json:"headers"`
		AnyOf     []vectorAlternative `json:"any_of"`
		Denial    struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"denial"`
	}

	vectorAlternative struct {
		Headers []vectorHeader `json:"headers"`
	}

	vectorHeader struct {
		Name     string `json:"name"`
		Type     string `json:"type"`
		Optional bool   `json:"optional"`
		Equals   string `json:"equals"`
		In       struct {
			Values []string `json:"values"`
		} `json:"in"`
		Present *struct{}     `json:"present"`
		Bearer  *vectorBearer `json:"bearer"`
		Basic   *struct{}     `json:"basic"`
		Verify  *vectorVerify `json:"verify"`
	}

	vectorBearer struct {
		Scopes []string `json:"scopes"`
	}

	vectorVerify struct {
		Scheme string   `json:"scheme"`
		Scopes []string `json:"scopes"`
	}

	// vectorAnswer is what a verifier does about one credential.
	vectorAnswer struct {
		Principal        string      `json:"principal"`
		Scopes           []string    `json:"scopes"`
		ExpiresInSeconds *int        `json:"expires_in_seconds"`
		EditsScopes      bool        `json:"edits_scopes"`
		WaitsForTheEnd   bool        `json:"waits_for_the_end"`
		Context          string      `json:"context"`
		Error            string      `json:"error"`
		Deny             *vectorText `json:"deny"`
		Status           *vectorText `json:"status"`
		Unavailable      string      `json:"unavailable"`
		TypedNil         string      `json:"typed_nil"`
		WrappedIn        string      `json:"wrapped_in"`
		Panic            string      `json:"panic"`
	}

	vectorText struct {
		Code    codes.Code `json:"code"`
		Message string     `json:"message"`
	}

	vectorCase struct {
		Name         string         `json:"name"`
		Rule         string         `json:"rule"`
		Threats      []string       `json:"threats"`
		By           string         `json:"by"`
		Why          string         `json:"why"`
		LastsSeconds float64        `json:"lasts_seconds"`
		Send         []vectorPair   `json:"send"`
		Asked        []vectorAsked  `json:"asked"`
		Allowed      *vectorAllowed `json:"allowed"`
		Refused      *vectorRefused `json:"refused"`
		Invalid      string         `json:"invalid"`

		NotOver   map[string]string `json:"not_over"`   // why, by transport
		AtConnect *vectorElsewhere  `json:"at_connect"` // a verdict unlike the one of grpc's servers
	}

	vectorElsewhere struct {
		Why     string         `json:"why"`
		Refused *vectorRefused `json:"refused"`
	}

	vectorAllowed struct {
		Values           map[string]vectorValue `json:"values"`
		Principal        string                 `json:"principal"`
		ExpiresInSeconds int                    `json:"expires_in_seconds"`
	}

	vectorRefused struct {
		ByTransport bool        `json:"by_transport"`
		Reason      string      `json:"reason"`
		Header      string      `json:"header"`
		Code        *codes.Code `json:"code"`    // that of the rule's denial if left out
		Message     *string     `json:"message"` // that of the rule's denial if left out
		Error       string      `json:"error"`
	}

	// vectorPair is a key and its value.
	vectorPair struct {
		key   string
		value vectorValue
	}

	// vectorAsked is one question to a verifier: [slot, credential] or [slot, credential, principal].
	vectorAsked struct {
		slot       string
		credential vectorValue
		principal  string // of an earlier verifier, as this one saw it
	}

	// vectorValue is a string, or {"text": …, "then": …, "times": …} for a long one.
	vectorValue string
)

// The ways to make a call.
const (
	byClient    = ""
	byWire      = "wire"
	byInProcess = "in process"
)

// binary marks, before base64, a value of which a reader would not see the bytes.
const binary = "base64:"

// marked is a value in the form in which the files state it.
func marked(key, value string) vectorValue {
	if strings.HasSuffix(key, "-bin") {
		return vectorValue(binary + base64.StdEncoding.EncodeToString([]byte(value)))
	}
	return vectorValue(value)
}

// metadata is what a client sends; loading has shown that there is no error.
func (c *vectorCase) metadata() metadata.MD {
	sent := metadata.MD{}
	for _, pair := range c.Send {
		value, _ := pair.unmarked()
		sent.Append(pair.key, value)
	}
	return sent
}

// strictly decodes JSON in which every field is known.
func strictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return nil
}

// UnmarshalJSON reads [key, value].
func (p *vectorPair) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	if err := strictly(data, &parts); err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("%s is not a key and a value", data)
	}
	return errors.Join(strictly(parts[0], &p.key), strictly(parts[1], &p.value))
}

// unmarked is the value as it travels: the reverse of marked.
func (p vectorPair) unmarked() (string, error) {
	text, isMarked := strings.CutPrefix(string(p.value), binary)
	if isMarked != strings.HasSuffix(p.key, "-bin") {
		return "", fmt.Errorf("%q: the values of -bin keys, and of no others, begin with %q", p.key, binary)
	}
	if !isMarked {
		return text, nil
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	return string(decoded), err
}

// UnmarshalJSON reads [slot, credential] or [slot, credential, principal].
func (a *vectorAsked) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	if err := strictly(data, &parts); err != nil {
		return err
	}
	switch len(parts) {
	case 3:
		if err := strictly(parts[2], &a.principal); err != nil {
			return err
		}
	case 2:
	default:
		return fmt.Errorf("%s is not a slot, a credential, and perhaps a principal", data)
	}
	return errors.Join(strictly(parts[0], &a.slot), strictly(parts[1], &a.credential))
}

// UnmarshalJSON reads a string or its long form.
func (v *vectorValue) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*v = vectorValue(text)
		return nil
	}
	var long struct {
		Text  string `json:"text"`
		Then  string `json:"then"`
		Times int    `json:"times"`
	}
	if err := strictly(data, &long); err != nil {
		return err
	}
	if long.Then == "" || long.Times < 2 {
		return fmt.Errorf("%s repeats nothing", data)
	}
	*v = vectorValue(long.Text + strings.Repeat(long.Then, long.Times))
	return nil
}

// loadVectors reads all files once.
var loadVectors = sync.OnceValues(func() ([]*vectorFile, error) {
	paths, err := filepath.Glob(filepath.Join("..", "testdata", "vectors", "*.json"))
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no vectors found: %w", err)
	}
	var files []*vectorFile
	for _, path := range paths {
		file, err := readVectors(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		files = append(files, file)
	}
	return files, repeatedCases(files)
})

// repeatedCases is an error if two cases have one name, or differ in nothing that their rule mentions.
func repeatedCases(files []*vectorFile) error {
	names, essences := map[string]string{}, map[string]string{}
	for _, file := range files {
		for _, c := range file.Cases {
			if names[c.Name] != "" {
				return fmt.Errorf("two cases, in %s and %s, are called %q", names[c.Name], file.theme, c.Name)
			}
			essence := file.essence(c)
			if c.Invalid != "" {
				essence = inJSON(file.Levels[c.Rule])
			}
			if essences[essence] != "" {
				return fmt.Errorf("cases %q and %q differ in nothing that their rule mentions", essences[essence], c.Name)
			}
			names[c.Name], essences[essence] = file.theme, c.Name
		}
	}
	return nil
}

func readVectors(path string) (*vectorFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseVectors(strings.TrimSuffix(filepath.Base(path), ".json"), data)
}

// parseVectors refuses what a runner could pass over: unknown fields, and parts that no case tries.
func parseVectors(theme string, data []byte) (*vectorFile, error) {
	file := &vectorFile{theme: theme}
	if err := strictly(data, file); err != nil {
		return nil, err
	}
	if file.About == "" || len(file.Cases) == 0 {
		return nil, errors.New("says not what it is about, or has no case")
	}
	if err := file.resolveLevels(); err != nil {
		return nil, err
	}
	used := map[string]bool{} // rules, slots, and answers
	for _, c := range file.Cases {
		if err := file.checkCase(c, used); err != nil {
			return nil, fmt.Errorf("case %q: %w", c.Name, err)
		}
	}
	for name := range file.findings {
		if !used[name] {
			return nil, fmt.Errorf("no case tries levels %q, which do not resolve: %w", name, file.findings[name])
		}
	}
	for name, rule := range file.Rules {
		if !used[name] {
			return nil, fmt.Errorf("no case tries rule %q", name)
		}
		for _, h := range rule.all() {
			used[h.slot()] = true
			if _, ok := file.Verifiers[h.slot()]; h.verified() && !ok {
				return nil, fmt.Errorf("rule %q: no verifier for %q", name, h.slot())
			}
		}
	}
	for slot, answers := range file.Verifiers {
		if !used[slot] {
			return nil, fmt.Errorf("no rule asks the verifier for %q", slot)
		}
		for credential := range answers {
			answer := answers[credential]
			if !slices.Contains([]string{"", "nil", "background", "another call's"}, answer.Context) ||
				!slices.Contains([]string{"", "error", "status"}, answer.TypedNil) {
				return nil, fmt.Errorf("the answer to %q is unknown", credential)
			}
			if !used[slot+": "+credential] {
				return nil, fmt.Errorf("no case asks the verifier for %q about %q", slot, credential)
			}
		}
	}
	return file, nil
}

var (
	threatID = regexp.MustCompile(`^T[1-9][0-9]?$`)
	reasons  = []grpcauth.Reason{
		grpcauth.Missing, grpcauth.Repeated, grpcauth.Malformed, grpcauth.Refused,
		grpcauth.ScopeMissing, grpcauth.VerifierFailed,
	}
)

func (f *vectorFile) checkCase(c *vectorCase, used map[string]bool) error {
	rule := f.Rules[c.Rule]
	switch {
	case c.Name != "" && c.Invalid != "":
		return f.checkInvalid(c, used)
	case c.Name == "" || rule == nil:
		return fmt.Errorf("has no name, or no known rule (%q): %w", c.Rule, f.findings[c.Rule])
	case (c.Allowed == nil) == (c.Refused == nil):
		return errors.New("must be allowed or refused")
	case !slices.Contains([]string{byClient, byWire, byInProcess}, c.By) || (c.By != byClient) != (c.Why != ""):
		return errors.New("says not how it is sent, or why not by a client")
	case c.LastsSeconds != 0 && c.By != byInProcess:
		return errors.New("lasts so long that a network would have a say")
	}
	if err := errors.Join(c.checkThreats(), c.checkElsewhere()); err != nil {
		return err
	}
	if c.By != byWire {
		for _, pair := range c.Send {
			if _, err := pair.unmarked(); err != nil || pair.key != strings.ToLower(pair.key) {
				return fmt.Errorf("key %q: %w", pair.key, err)
			}
		}
	}
	used[c.Rule] = true
	for _, asked := range c.Asked {
		used[asked.slot+": "+string(asked.credential)] = true
		if asked.credential != "" {
			used[asked.slot+": *"] = true
		}
	}
	if c.Refused == nil {
		for name := range c.Allowed.Values {
			if !slices.ContainsFunc(rule.all(), func(h vectorHeader) bool { return h.Name == name && h.valued() }) {
				return fmt.Errorf("the rule has no value %q for the handler", name)
			}
		}
		return nil
	}
	if c.AtConnect != nil {
		if err := c.AtConnect.Refused.check(rule); err != nil {
			return err
		}
	}
	return c.Refused.check(rule)
}

func (r *vectorRefused) check(rule *vectorRule) error {
	known := slices.ContainsFunc(reasons, func(reason grpcauth.Reason) bool { return reason.String() == r.Reason })
	names := slices.ContainsFunc(rule.all(), func(h vectorHeader) bool { return h.Name == r.Header })
	if r.ByTransport {
		known, names = r.Reason == "", r.Header == ""
	}
	if !known || !names {
		return fmt.Errorf("reason %q or header %q is unknown", r.Reason, r.Header)
	}
	return nil
}

// transports are what a case may say that it cannot travel over.
var transports = []string{"HTTP/1", "gRPC-Web over HTTP/1"}

func (c *vectorCase) checkElsewhere() error {
	for transport, why := range c.NotOver {
		if !slices.Contains(transports, transport) || why == "" {
			return fmt.Errorf("says not why it does not travel over %q, or that is no transport", transport)
		}
	}
	if at := c.AtConnect; at != nil && (at.Why == "" || at.Refused == nil || c.Refused == nil) {
		return errors.New("says not what is different at the Connect door, and why; only refusals may differ")
	}
	return nil
}

func (c *vectorCase) checkThreats() error {
	for _, threat := range c.Threats {
		if !threatID.MatchString(threat) {
			return fmt.Errorf("%q is no threat", threat)
		}
	}
	return nil
}

// checkInvalid is checkCase for one that makes no call, because its rule does not generate.
func (f *vectorFile) checkInvalid(c *vectorCase, used map[string]bool) error {
	switch {
	case f.findings[c.Rule] == nil:
		return fmt.Errorf("the levels %q are unknown, or resolve", c.Rule)
	case c.Allowed != nil || c.Refused != nil || c.Send != nil || c.Asked != nil || c.By != "" || c.LastsSeconds != 0:
		return errors.New("makes a call, although its rule does not generate")
	}
	used[c.Rule] = true
	return c.checkThreats()
}

// essence is the same for two cases that differ in no value that their rule mentions, and whose verifiers
// answer alike.
func (f *vectorFile) essence(c *vectorCase) string {
	parts := []string{inJSON(f.Rules[c.Rule]), fmt.Sprint(f.MaxValueBytes, f.Meddling, f.Excepted)}
	if levels := f.Levels[c.Rule]; levels != nil { // which may add up to the same rule from other parts
		parts[0] = inJSON(levels)
	}
	for _, pair := range c.Send {
		if slices.ContainsFunc(f.Rules[c.Rule].all(), func(h vectorHeader) bool { return h.Name == pair.key }) {
			parts = append(parts, fmt.Sprintf("%q=%q", pair.key, pair.value))
		} else {
			parts = append(parts, fmt.Sprintf("%q", pair.key))
		}
	}
	for _, asked := range c.Asked { // the same token may mean something else in another file
		parts = append(parts, inJSON(f.Verifiers[asked.slot][string(asked.credential)]))
	}
	return strings.Join(parts, " ")
}

func inJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // what was read from JSON can be written
	}
	return string(text)
}

// all lists the headers of the rule and of its alternatives.
func (r *vectorRule) all() []vectorHeader {
	all := slices.Clone(r.Headers)
	for _, alternative := range r.AnyOf {
		all = append(all, alternative.Headers...)
	}
	return all
}

// verified is true for what a verifier decides, valued for what a handler reads.
func (h vectorHeader) verified() bool { return h.Bearer != nil || h.Basic != nil || h.Verify != nil }
func (h vectorHeader) valued() bool   { return h.Present != nil || len(h.In.Values) > 0 }

// slot is how a file names the verifier of a header.
func (h vectorHeader) slot() string {
	switch {
	case h.Bearer != nil:
		return h.Name + " bearer"
	case h.Basic != nil:
		return h.Name + " basic"
	case h.Verify != nil && h.Verify.Scheme != "":
		return h.Name + " " + h.Verify.Scheme
	case h.Verify != nil:
		return h.Name + " verify"
	default:
		return ""
	}
}

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
	if _, err := parseVectors("good", []byte(good)); err != nil {
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
		{`"allowed": {}},`, `"at_connect": {"why": "why", "refused": {"reason": "missing", "header": "a"}}, "allowed": {}},`},
		{`"allowed": {}},`, `"at_connect": {"why": "why"}, "refused": {"reason": "missing", "header": "a"}},`},
		{`"allowed": {}},`, `"at_connect": {"refused": {"reason": "missing", "header": "a"}}, "refused": {"reason": "missing", "header": "a"}},`},
		{`"allowed": {}},`, `"at_connect": {"why": "why", "refused": {"reason": "missing", "header": "b"}}, "refused": {"reason": "missing", "header": "a"}},`},
		{`"allowed": {}}]}`, `"allowed": {}}]} {}`},
	} {
		if !strings.Contains(good, change[0]) {
			t.Fatalf("%s is not in the file", change[0])
		}
		file, err := parseVectors("bad", []byte(strings.Replace(good, change[0], change[1], 1)))
		if err == nil {
			err = repeatedCases([]*vectorFile{file})
		}
		if err == nil {
			t.Errorf("%s in place of %s is not noticed", change[1], change[0])
		}
	}
	if _, err := parseVectors("empty", []byte(`{"about": "a", "cases": []}`)); err == nil {
		t.Error("a file without cases is not noticed")
	}
}
