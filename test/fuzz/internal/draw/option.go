package draw

import (
	"strings"

	"google.golang.org/protobuf/proto"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// Level is where a rule stands. Each has names of its own, so that most rules can be added up.
type Level int

// The levels.
const (
	File Level = iota
	Service
	Method
)

func (l Level) names() []string {
	return [][]string{
		{"x-file", "x-f.2"},
		{"authorization", "x-a", "x-n-bin", "x_s"},
		{"x-m", "x-b", "x-m-bin", "x--e", "x9"},
	}[l]
}

func (l Level) alternativeNames() []string {
	return [][]string{{"y-file", "y-f-bin"}, {"y-a", "y-b", "y-s-bin"}, {"x-key", "y-m", "y-m-bin"}}[l]
}

// Options makes the rules of one schema. Most schemas have one flaw, so that each is seen without others.
type Options struct {
	*Source

	until int // so many more places are as they should be, and then one is not
}

// Options begins a schema.
func (s *Source) Options() *Options {
	const places = 60
	return &Options{Source: s, until: s.Pick(places)}
}

// Rule makes what one level says. It is nil for a level that says nothing.
func (o *Options) Rule(level Level) *grpcauthv1.Rule {
	const shapes, raw = 16, 40
	made := &grpcauthv1.Rule{}
	switch o.Pick(shapes) {
	case 0, 1:
		if level != Method {
			return nil
		}
	case 2:
		return &grpcauthv1.Rule{GuardedBy: o.freeText(), Public: o.flawed()}
	case 3:
		made.Denial = o.denial()
		return made
	case 4: // whatever the bytes mean: unknown fields, half of a field
		_ = proto.Unmarshal(o.Bytes(raw), made) // what was read until then is as good
		return made
	case 5, 6:
		return &grpcauthv1.Rule{Public: true, Replace: o.flawed()}
	case 7:
		made.Public = true
		made.Headers = o.headers(level.names())
		for _, header := range made.GetHeaders() {
			header.Optional = !o.flawed()
		}
		return made
	case 8, 9:
		made.Replace = true
	}
	o.require(made, level)
	return made
}

// flawed is true at one of the places where it is asked.
func (o *Options) flawed() bool {
	o.until--
	return o.until == 0
}

// require adds headers, alternatives and what a refused caller gets.
func (o *Options) require(made *grpcauthv1.Rule, level Level) {
	const few = 3
	made.Public = o.flawed()
	names := level.names()
	if o.flawed() {
		names = Of(o.Source, File, Service, Method).names() // which may be there twice
	}
	made.Headers = o.headers(names)
	optional := o.flawed() // all of them, so that nothing is required
	for i, header := range made.GetHeaders() {
		header.Optional = optional || i > 0 && o.Chance(few)
	}
	if o.Chance(few) {
		made.Denial = o.denial()
	}
	if o.Chance(few) {
		made.AnyOf = o.alternatives(level.alternativeNames())
	}
}

func (o *Options) alternatives(names []string) []*grpcauthv1.Alternative {
	const most = 3
	var made []*grpcauthv1.Alternative
	for range o.Pick(most) + 1 {
		alternative := &grpcauthv1.Alternative{}
		if !o.flawed() {
			alternative.Headers = o.headers(names)
		}
		for _, header := range alternative.GetHeaders() {
			header.Optional = o.flawed()
		}
		made = append(made, alternative)
	}
	return made
}

func (o *Options) denial() *grpcauthv1.Denial {
	const codes, unknown = 17, 17
	made := &grpcauthv1.Denial{Code: grpcauthv1.Code(o.Pick(codes)), Message: o.freeText()}
	if o.flawed() {
		made.Code = unknown
	}
	return made
}

// headers have neighbouring names, so that few are there twice.
func (o *Options) headers(names []string) []*grpcauthv1.Header {
	const most = 3
	var made []*grpcauthv1.Header
	first := o.Pick(len(names))
	for i := range min(o.Pick(most)+1, len(names)) {
		header := o.header(names[(first+i)%len(names)])
		if o.flawed() {
			o.spoilHeader(header)
		}
		made = append(made, header)
	}
	return made
}

// header is one that is as it should be, but for its texts.
func (o *Options) header(name string) *grpcauthv1.Header {
	const checks, binary, few = 8, 3, 3
	made := &grpcauthv1.Header{Name: name}
	typed := func() {
		if !isBinary(name) {
			made.Type = grpcauthv1.Type(len(name) % int(grpcauthv1.Type_TYPE_BYTES)) // the same at all levels
		}
	}
	ways := checks
	if isBinary(name) {
		ways = binary
	}
	switch o.Pick(ways) {
	case 0, 1:
		made.Check = &grpcauthv1.Header_Present{Present: &grpcauthv1.Present{}}
		typed()
	case 2:
		verify := &grpcauthv1.Verify{Scopes: o.scopeList()}
		if !isBinary(name) {
			verify.Scheme = Of(o.Source, "", "DPoP", "S-1")
		}
		made.Check = &grpcauthv1.Header_Verify{Verify: verify}
		typed()
	case 3, 4:
		made.Check = &grpcauthv1.Header_Equals{Equals: o.freeText()}
	case 5:
		made.Check = &grpcauthv1.Header_Bearer{Bearer: &grpcauthv1.Bearer{Scopes: o.scopeList()}}
	case 6:
		made.Check = &grpcauthv1.Header_Basic{Basic: &grpcauthv1.Basic{}}
	default:
		values := &grpcauthv1.Values{}
		for range o.Pick(few) + 1 {
			values.Values = append(values.Values, o.freeText())
		}
		made.Check = &grpcauthv1.Header_In{In: values}
	}
	return made
}

// spoilHeader makes one thing wrong, mostly.
func (o *Options) spoilHeader(header *grpcauthv1.Header) {
	const ways, types = 4, 8
	switch o.Pick(ways) {
	case 0:
		header.Name = Of(o.Source, "X-A", "grpc-a", "te", "", "9", "-bin", "cookie", "proxy-a", "x-a", o.oddText())
	case 1:
		header.Type = grpcauthv1.Type(o.Pick(types))
	case 2:
		header.Check = nil
	default:
		scheme := Of(o.Source, "dpop", "Bearer", "9", "ſ", o.oddText())
		header.Check = &grpcauthv1.Header_Verify{Verify: &grpcauthv1.Verify{Scheme: scheme}}
	}
}

func (o *Options) scopeList() []string {
	if o.flawed() {
		return []string{o.oddText()}
	}
	return o.scopes()
}

// freeText could do harm, if it were not quoted.
func (o *Options) freeText() string {
	if o.flawed() {
		return o.oddText()
	}
	return Of(o.Source, "a", "42", "A b", "read", `"`, "`", "*/", "//go:generate x", `\`, "{{.}}", "%s", "nil", "+`x`+")
}

// oddText is refused, mostly.
func (o *Options) oddText() string {
	return Of(o.Source, "", " a", "\n", "\u202e", "é", strings.ToValidUTF8(o.Text(), "?"))
}
