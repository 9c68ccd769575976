package main

import (
	"context"
	"fmt"
	"slices"

	"buf.build/go/bufplugin/check"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

func checkValid(_ context.Context, writer check.ResponseWriter, request check.Request) error {
	findings, err := refusals(request.FileDescriptors())
	for _, finding := range findings {
		report(writer, finding)
	}
	return err
}

func checkDeclared(ctx context.Context, writer check.ResponseWriter, _ check.Request) error {
	read := schemaOf(ctx)
	for method := range read.now().each() {
		if method.Access == policy.Undeclared && !read.settings.leavesOut(method.Descriptor.FullName()) {
			report(writer, policy.FindingAt(method.Descriptor,
				"has no rule: add option (grpcauth.v1.method) with headers, public or guarded_by, or a rule for "+
					"the whole service; or leave it out with this plugin's option %s", declaredExcept))
		}
	}
	return nil
}

func checkNoLiteralCredential(ctx context.Context, writer check.ResponseWriter, _ check.Request) error {
	read := schemaOf(ctx)
	for _, file := range read.now().files {
		for header := range file.Headers() {
			if len(header.Literals) == 0 || !read.settings.isCredential(header.Name) {
				continue
			}
			remedy := "use verify"
			if header.Name == "authorization" {
				remedy = "use bearer, basic or verify"
			}
			report(writer, header.Finding("%q is a credential, and %s compares it with a literal that everyone "+
				"can read: it ships in descriptors and generated code; %s, and let the server decide",
				header.Name, header.Check, remedy))
		}
	}
	return nil
}

func checkOpenListed(ctx context.Context, writer check.ResponseWriter, _ check.Request) error {
	read := schemaOf(ctx)
	if !read.settings.openListed {
		return nil
	}
	for method := range read.now().each() {
		var open string
		switch method.Access {
		case policy.Public:
			open = "public"
		case policy.Guarded:
			open = fmt.Sprintf("guarded_by %q", method.GuardedBy)
		case policy.Undeclared, policy.Restricted:
			continue
		}
		if !slices.Contains(read.settings.openMethods, string(method.Descriptor.FullName())) {
			report(writer, policy.FindingAtAccess(method,
				"is %s and not listed in this plugin's option %s: list it there, or require something",
				open, openMethods))
		}
	}
	return nil
}
