package main

import (
	"buf.build/go/bufplugin/check"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// report shows a finding at its place. The path leads to a recorded position, so buf shows the same line and
// column as the generator.
func report(writer check.ResponseWriter, finding policy.Finding) {
	writer.AddAnnotation(
		check.WithMessage(finding.Text()),
		check.WithFileNameAndSourcePath(finding.Path, finding.SourcePath))
}
