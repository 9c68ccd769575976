package vectors

import (
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// all lists the headers of the rule and of its alternatives.
func (r *ruleInForce) all() []headerInForce {
	all := slices.Clone(r.Headers)
	for _, alternative := range r.AnyOf {
		all = append(all, alternative.Headers...)
	}
	return all
}

// HeaderNames are those that the rules of a file name, in lower case.
func (f *File) HeaderNames() map[string]bool {
	names := map[string]bool{}
	for _, rule := range f.Rules {
		for _, h := range rule.all() {
			names[h.Name] = true
		}
	}
	return names
}

// verified is true for what a verifier decides, valued for what a handler reads.
func (h headerInForce) verified() bool { return h.Bearer != nil || h.Basic != nil || h.Verify != nil }
func (h headerInForce) valued() bool   { return h.Present != nil || len(h.In.Values) > 0 }

// slot is how a file names the verifier of a header.
func (h headerInForce) slot() string {
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

// scopes are those that a header's verifier must report.
func (h headerInForce) scopes() []string {
	switch {
	case h.Bearer != nil:
		return h.Bearer.Scopes
	case h.Verify != nil:
		return h.Verify.Scopes
	default:
		return nil
	}
}

// ruleCode is a grpcauth.v1.Code.
func ruleCode(name string) codes.Code {
	if name == "" || name == "CODE_UNSPECIFIED" {
		return codes.Unauthenticated
	}
	var code codes.Code
	if err := code.UnmarshalJSON([]byte(strconv.Quote(name[len("CODE_"):]))); err != nil {
		panic(err)
	}
	return code
}

func tableHeaders(stated []headerInForce) []authimpl.Header {
	var list []authimpl.Header
	for _, h := range stated {
		header := authimpl.Header{
			Name: h.Name, Optional: h.Optional,
			Equals: h.Equals, In: h.In.Values, Bearer: h.Bearer != nil, Basic: h.Basic != nil,
		}
		switch {
		case h.Present != nil:
			header.Present = h.typed().Present
		case h.Bearer != nil:
			header.Scopes = h.Bearer.Scopes
		case h.Verify != nil:
			header.Verify, header.Scheme, header.Scopes = h.typed().Present, h.Verify.Scheme, h.Verify.Scopes
		}
		list = append(list, header)
	}
	return list
}

// typed is a table's header with the type of this one's value as Present.
func (h headerInForce) typed() authimpl.Header {
	switch h.Type {
	case "TYPE_INT64":
		return authimpl.Header{Present: authimpl.Int64}
	case "TYPE_UINT64":
		return authimpl.Header{Present: authimpl.Uint64}
	case "TYPE_BOOL":
		return authimpl.Header{Present: authimpl.Bool}
	case "TYPE_BYTES":
		return authimpl.Header{Present: authimpl.Bytes}
	case "TYPE_STRING":
		return authimpl.Header{Present: authimpl.String}
	case "", "TYPE_UNSPECIFIED":
		if marked(h.Name, "") != "" {
			return authimpl.Header{Present: authimpl.Bytes}
		}
		return authimpl.Header{Present: authimpl.String}
	default:
		panic(h.Type)
	}
}
