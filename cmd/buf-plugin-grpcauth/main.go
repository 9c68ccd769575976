// Command buf-plugin-grpcauth checks the grpcauth rules of .proto files in `buf lint` and `buf breaking`, so
// that a rule that is missing, wrong or weakened fails the review.
//
// buf runs it where buf.yaml names it. With the program on the PATH (go install):
//
//	lint:
//	  use: [STANDARD, GRPCAUTH]
//	breaking:
//	  use: [FILE, GRPCAUTH]
//	plugins:
//	  - plugin: buf-plugin-grpcauth
//	    options:
//	      declared_except: [acme.legacy]
//	      credential_headers: [x-session-token]
//	      open_methods: [greeter.v1.Greeter.Ping]
//
// `buf config ls-lint-rules` and `buf config ls-breaking-rules` list its rules with their purposes. All are in
// the category GRPCAUTH and on by default. The options, each a list of strings:
//
//	declared_except     packages, services and methods, with all below them, that GRPCAUTH_DECLARED leaves out
//	credential_headers  headers that GRPCAUTH_NO_LITERAL_CREDENTIAL takes for credentials, besides
//	                    authorization and x-api-key
//	open_methods        switches GRPCAUTH_OPEN_LISTED on: the only methods that may be public or guarded_by
//	                    something; "none" alone for none
//
// In reading order:
//
//	registry.go  keeps a foreign option under our number from failing the whole request
//	spec.go      the rules, with their purposes
//	settings.go  the options
//	schema.go    what the rules look at, read once for all of them
//	generate.go  asks the generator what it would refuse
//	lint.go      the rules of buf lint
//	breaking.go  the rules of buf breaking
//	report.go    findings become buf's annotations
//
// It reads rules with internal/policy and asks the generator what is wrong, so that it cannot disagree with
// either.
package main

import "buf.build/go/bufplugin/check"

func main() {
	leaveRulesAsBytes()
	check.Main(spec)
}
