package main

import "buf.build/go/bufplugin/check"

const category = "GRPCAUTH"

// The rules. buf prints the purposes in its lists of rules.
const (
	valid     = "GRPCAUTH_VALID"
	declared  = "GRPCAUTH_DECLARED"
	noLiteral = "GRPCAUTH_NO_LITERAL_CREDENTIAL"
	openList  = "GRPCAUTH_OPEN_LISTED"

	notWeakened  = "GRPCAUTH_NOT_WEAKENED"
	notTightened = "GRPCAUTH_NOT_TIGHTENED"
	denialSame   = "GRPCAUTH_DENIAL_SAME"
)

// spec is the plugin, for its process and its tests.
var spec = &check.Spec{ //nolint:gochecknoglobals // a constant table
	Categories: []*check.CategorySpec{{
		ID:      category,
		Purpose: "Checks the rules about metadata that protoc-gen-go-grpcauth enforces.",
	}},
	Rules: []*check.RuleSpec{
		rule(valid, check.RuleTypeLint, checkValid,
			"Checks that protoc-gen-go-grpcauth would generate: reports what it would refuse, in its words."),
		rule(declared, check.RuleTypeLint, checkDeclared,
			"Checks that every RPC has a rule, is public or is guarded_by something (option declared_except)."),
		rule(noLiteral, check.RuleTypeLint, checkNoLiteralCredential,
			"Checks that no credential is compared with a literal, which is public (option credential_headers)."),
		rule(openList, check.RuleTypeLint, checkOpenListed,
			"Checks that only listed RPCs are public or guarded_by something (off without option open_methods)."),
		rule(notWeakened, check.RuleTypeBreaking, checkNotWeakened,
			"Checks that no RPC lets a call pass that it refused before."),
		rule(notTightened, check.RuleTypeBreaking, checkNotTightened,
			"Checks that no RPC refuses a call that it let pass before, so that existing clients keep working."),
		rule(denialSame, check.RuleTypeBreaking, checkDenialSame,
			"Checks that what a refused caller gets stays the same: clients match on codes."),
	},
	Before: readBefore,
}

func rule(id string, kind check.RuleType, handler check.RuleHandlerFunc, purpose string) *check.RuleSpec {
	return &check.RuleSpec{
		ID: id, CategoryIDs: []string{category}, Default: true, Purpose: purpose, Type: kind, Handler: handler,
	}
}
