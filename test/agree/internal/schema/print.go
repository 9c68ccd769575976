package schema

import (
	"fmt"
	"strconv"
	"strings"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

// Package is the schema's package, and the name of its Go package.
func (f *File) Package() string { return fmt.Sprintf("set%d", f.seed) }

// Text is the schema as a .proto file whose Go package is directly below a module.
func (f *File) Text(module string) string {
	p := &printer{}
	p.linef(0, `syntax = "proto3";`)
	p.linef(0, "package %s;", f.Package())
	p.linef(0, `import "google/protobuf/empty.proto";`)
	p.linef(0, `import "grpcauth/v1/options.proto";`)
	p.linef(0, `option go_package = "%s/%s;%s";`, module, f.Package(), f.Package())
	p.rule(0, "file", f.rule)
	for _, service := range f.services {
		p.linef(0, "service %s {", service.name)
		p.rule(1, "service", service.rule)
		for _, method := range service.methods {
			stream := map[bool]string{true: "stream "}
			const message = "google.protobuf.Empty"
			p.linef(1, "rpc %s(%s%s) returns (%s%s) {",
				method.name, stream[method.clients], message, stream[method.servers], message)
			const inner = 2
			p.rule(inner, "method", method.rule)
			p.linef(1, "}")
		}
		p.linef(0, "}")
	}
	return p.String()
}

type printer struct{ strings.Builder }

func (p *printer) linef(depth int, format string, arguments ...any) {
	_, _ = p.WriteString(strings.Repeat("  ", depth) + fmt.Sprintf(format, arguments...) + "\n")
}

func (p *printer) rule(depth int, level string, stated *rule) {
	if stated == nil {
		return
	}
	p.linef(depth, "option (grpcauth.v1.%s) = {", level)
	p.words(depth+1, stated)
	for _, header := range stated.headers {
		p.linef(depth+1, "%s", spell(header))
	}
	for _, alternative := range stated.anyOf {
		p.linef(depth+1, "any_of: {")
		for _, header := range alternative {
			const inner = 2
			p.linef(depth+inner, "%s", spell(header))
		}
		p.linef(depth+1, "}")
	}
	p.linef(depth, "};")
}

func (p *printer) words(depth int, stated *rule) {
	if stated.public {
		p.linef(depth, "public: true")
	}
	if stated.replace {
		p.linef(depth, "replace: true")
	}
	if stated.guardedBy != "" {
		p.linef(depth, "guarded_by: %s", strconv.Quote(stated.guardedBy))
	}
	var denial []string
	if stated.code != 0 {
		denial = append(denial, "code: "+grpcauthv1.Code(stated.code).String()) //nolint:gosec // 1 to 16
	}
	if stated.message != "" {
		denial = append(denial, "message: "+strconv.Quote(stated.message))
	}
	if len(denial) > 0 {
		p.linef(depth, "denial: {%s}", strings.Join(denial, " "))
	}
}

// spell writes a header as an element of a repeated field.
func spell(h plan.Header) string {
	words := []string{"name: " + strconv.Quote(h.Name)}
	if h.Optional {
		words = append(words, "optional: true")
	}
	if typ := types[h.Type]; typ != "" && (h.Check == plan.Present || h.Check == plan.Verify) {
		words = append(words, "type: "+typ)
	}
	var inside []string
	switch h.Check {
	case plan.Equals:
		return "headers: {" + strings.Join(append(words, "equals: "+strconv.Quote(h.Literals[0])), " ") + "}"
	case plan.In:
		inside = each("values", h.Literals)
	case plan.Bearer:
		inside = each("scopes", h.Scopes)
	case plan.Verify:
		if h.Scheme != "" {
			inside = append(inside, "scheme: "+strconv.Quote(h.Scheme))
		}
		inside = append(inside, each("scopes", h.Scopes)...)
	case plan.Basic, plan.Present:
	}
	return fmt.Sprintf("headers: {%s %s: {%s}}", strings.Join(words, " "), h.Check, strings.Join(inside, " "))
}

// types leaves out those that go without saying.
var types = map[plan.Type]string{ //nolint:gochecknoglobals // a constant table
	plan.Int64: "TYPE_INT64", plan.Uint64: "TYPE_UINT64", plan.Bool: "TYPE_BOOL",
}

func each(field string, values []string) []string {
	var words []string
	for _, value := range values {
		words = append(words, field+": "+strconv.Quote(value))
	}
	return words
}
