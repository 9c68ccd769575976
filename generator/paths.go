package generator

import (
	"go/token"
	"io/fs"
	"strings"
	"unicode"

	"golang.org/x/mod/module"
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// checkPaths refuses what protogen passes through: a Go package name or import path that is none, and
// file names that would be written outside the output directory.
func checkPaths(plugin *protogen.Plugin) policy.Findings {
	var findings policy.Findings
	for _, file := range plugin.Files {
		if !file.Generate {
			continue
		}
		if name := string(file.GoPackageName); !token.IsIdentifier(name) || name == "_" {
			findings = append(findings, policy.FindingAt(file.Desc,
				"go_package: %q is no Go package name: write option go_package = \"import/path;name\"", name))
		}
		if err := module.CheckImportPath(string(file.GoImportPath)); err != nil {
			findings = append(findings, policy.FindingAt(file.Desc,
				"go_package: %q is no Go import path: write option go_package = \"import/path;name\"",
				string(file.GoImportPath)))
		}
		if !isSafePath(file.Desc.Path()) {
			findings = append(findings, policy.FindingAt(file.Desc,
				"the file's name must be a plain relative path with forward slashes"))
		}
	}
	return findings
}

// isSafePath is true for a relative path that stays below the output directory and can stand in a comment.
func isSafePath(path string) bool {
	return fs.ValidPath(path) && path != "." && !strings.ContainsAny(path, `\:`) &&
		!strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) })
}
