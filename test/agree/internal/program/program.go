// Package program writes what an application writes beside generated code: verifiers, credentials, and a main
// test. Names and types come from the plan, spelled as the documentation says, and not from the generator: if
// the two differ, the program does not compile.
package program

import (
	_ "embed"
	"fmt"
	"strings"
	"text/template"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

//go:embed wiring.go.tmpl
var wiring string

//go:embed main_test.go.tmpl
var main string

// Wiring is a file of a generated package. It reads the set from plan.json beside it.
func Wiring(name string, set *plan.Set) (string, error) {
	return execute(wiring, map[string]any{"Package": name, "Set": set})
}

// Main is the test of a module with one package per set.
func Main(module string, packages []string) (string, error) {
	return execute(main, map[string]any{"Module": module, "Packages": packages})
}

func execute(text string, dot any) (string, error) {
	parsed, err := template.New("").Funcs(template.FuncMap{
		"verifies": verifies, "verified": verified, "verifierType": verifierType, "sourceType": sourceType,
	}).Parse(text)
	if err != nil {
		return "", fmt.Errorf("program: %w", err)
	}
	var written strings.Builder
	if err := parsed.Execute(&written, dot); err != nil {
		return "", fmt.Errorf("program: %w", err)
	}
	return written.String(), nil
}

// verifies is true for a service with something to verify.
func verifies(service plan.Service) bool {
	for _, slot := range service.Slots() {
		if slot.Verified() {
			return true
		}
	}
	return false
}

func verified(header *plan.Header) bool { return header.Verified() }

// verifierType is the parameters of a method of the verifier, after the context.
func verifierType(header *plan.Header) string {
	if header.Check == plan.Basic {
		return "call grpcauth.Call, username string, value grpcauth.Secret"
	}
	return "call grpcauth.Call, value " + sourceType(header)
}

// sourceType is the type of what a source supplies.
func sourceType(header *plan.Header) string {
	text := header.Type == plan.String || header.Type == plan.Bytes
	switch {
	case header.Check == plan.Basic:
		return "grpcauth.BasicAuth"
	case header.Verified() && text:
		return "grpcauth.Secret"
	default:
		return string(header.Type)
	}
}
