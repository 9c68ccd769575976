package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"buf.build/go/bufplugin/check"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

func checkNotWeakened(ctx context.Context, writer check.ResponseWriter, _ check.Request) error {
	schemaOf(ctx).compare(writer, true,
		func(before, after *policy.Method) bool {
			return admitsNoMore(after, before) && !unguards(before, after)
		},
		func(before, after *policy.Method) string {
			return "some call that was refused would now pass; " + spellBoth(before, after)
		})
	return nil
}

func checkNotTightened(ctx context.Context, writer check.ResponseWriter, _ check.Request) error {
	schemaOf(ctx).compare(writer, true, admitsNoMore,
		func(before, after *policy.Method) string {
			return "some call that passed would now be refused, so existing clients may break; " +
				spellBoth(before, after)
		})
	return nil
}

// checkDenialSame leaves wrong rules to the others: a denial opens and closes nothing.
func checkDenialSame(ctx context.Context, writer check.ResponseWriter, _ check.Request) error {
	schemaOf(ctx).compare(writer, false,
		func(before, after *policy.Method) bool {
			return !before.Refuses() || !after.Refuses() || before.Denial == after.Denial
		},
		func(before, after *policy.Method) string {
			return fmt.Sprintf("a refused caller gets something else; before: %s; now: %s",
				spellDenial(before.Denial), spellDenial(after.Denial))
		})
	return nil
}

// compare reports the methods of which holds is not true. RPCs that are gone or new are not compared: buf's own
// rules tell the former, and GRPCAUTH_DECLARED looks at the latter.
//
// Where one of the two versions cannot be understood, nobody knows whether it is weaker: with strict, that is
// reported.
func (s *schema) compare(
	writer check.ResponseWriter, strict bool,
	holds func(before, after *policy.Method) bool, describe func(before, after *policy.Method) string,
) {
	now, earlier := s.now(), s.earlier()
	if strict {
		for _, finding := range now.language {
			finding.Message = "rules cannot be compared with the earlier ones: " + finding.Message
			report(writer, finding)
		}
		for _, finding := range earlier.language {
			writer.AddAnnotation(
				check.WithMessage("rules cannot be compared with the earlier ones, which say: "+finding.Text()),
				check.WithAgainstFileNameAndSourcePath(finding.Path, finding.SourcePath))
		}
	}
	known := earlier.methods() // a version that cannot be read has none
	for after := range now.each() {
		before := known[after.Descriptor.FullName()]
		switch {
		case before == nil:
		case before.Broken || after.Broken:
			if strict {
				report(writer, policy.FindingAtAccess(after, "%s", whyNotComparable(after)))
			}
		case !holds(before, after):
			report(writer, policy.FindingAtChange(before, after, holds, "%s", describe(before, after)))
		}
	}
}

func whyNotComparable(after *policy.Method) string {
	if after.Broken {
		return "its rule is wrong, and cannot be compared with the earlier one: " + valid + " says what is wrong"
	}
	return "its rule cannot be compared with the earlier one, which this version of the plugin would refuse"
}

// admitsNoMore is true if every call that satisfies a satisfies b: the call of anyone who gets in by a.
//
// Calls that carry a header twice, or empty, that b names and a does not even look at are left out. To b they
// are ambiguous, but their callers lose nothing by leaving the header away.
func admitsNoMore(a, b *policy.Method) bool {
	looking := *a
	if !a.Refuses() {
		looking.Access = policy.Public // nor does it name a header
	}
	looking.Headers = slices.Clip(looking.Headers) // a's own room belongs to a, which other rules read meanwhile
	for header := range b.All() {
		if !names(&looking, header.Name) {
			looking.Headers = append(looking.Headers, anyValue(header.Name))
		}
	}
	return policy.Implies(&looking, b)
}

// names is true if the method's rule names the header.
func names(m *policy.Method, header string) bool {
	for own := range m.All() {
		if own.Name == header {
			return true
		}
	}
	return false
}

// unguards is true if only somebody else's mechanism refused calls, and the schema no longer counts on it.
func unguards(before, after *policy.Method) bool {
	return before.Access == policy.Guarded && (after.Access == policy.Public || after.Access == policy.Undeclared)
}

// anyValue lets a header pass with any one value, and without. For a comparison, bytes are a text as well.
func anyValue(name string) *policy.Header {
	return &policy.Header{Name: name, Optional: true, Check: policy.Present, Type: grpcauthv1.Type_TYPE_STRING}
}

// spellBoth never spells a literal, so two rules may look alike.
func spellBoth(before, after *policy.Method) string {
	old, current := before.Requirement(), after.Requirement()
	if old == current {
		current += " with other literals"
	}
	return fmt.Sprintf("before: %s; now: %s", old, current)
}

func spellDenial(denial policy.Denial) string {
	return fmt.Sprintf("%s %q", strings.TrimPrefix(denial.Code.String(), "CODE_"), denial.Message)
}
