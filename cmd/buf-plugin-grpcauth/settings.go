package main

import (
	"fmt"
	"slices"
	"strings"

	"buf.build/go/bufplugin/option"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The names of the options in buf.yaml.
const (
	declaredExcept    = "declared_except"
	credentialHeaders = "credential_headers" //nolint:gosec // the name of an option
	openMethods       = "open_methods"
)

// nobody stands in open_methods for the empty list, which buf refuses.
const nobody = "none"

// settings are the options, checked.
type settings struct {
	declaredExcept    []string // full names
	credentialHeaders []string
	openMethods       []string // full names of methods
	openListed        bool     // open_methods is given
}

// readSettings refuses what would be passed over in silence: a check that is off by a slip of the pen is worse
// than none.
func readSettings(options option.Options) (settings, error) {
	read := settings{credentialHeaders: []string{"authorization", "x-api-key"}}
	var wrong error
	options.Range(func(key string, _ any) {
		values, err := option.GetStringSliceValue(options, key)
		if err != nil {
			wrong = fmt.Errorf("option %s: write a list of strings", key)
			return
		}
		switch key {
		case declaredExcept:
			read.declaredExcept = values
		case credentialHeaders:
			read.credentialHeaders = append(read.credentialHeaders, values...)
		case openMethods:
			read.openMethods, read.openListed = values, true
		default:
			wrong = fmt.Errorf("unknown option %q: known are %s, %s and %s",
				key, declaredExcept, credentialHeaders, openMethods)
		}
	})
	if wrong != nil {
		return settings{}, wrong
	}
	if slices.Equal(read.openMethods, []string{nobody}) {
		read.openMethods = nil
	}
	for key, names := range map[string][]string{
		declaredExcept: read.declaredExcept, openMethods: read.openMethods,
	} {
		for _, name := range names {
			if !protoreflect.FullName(name).IsValid() || key == openMethods && strings.Count(name, ".") == 0 {
				return settings{}, fmt.Errorf("option %s: %q is no full name: write it as in greeter.v1.Greeter.Ping",
					key, name)
			}
		}
	}
	return read, nil
}

// leavesOut is true for a name that GRPCAUTH_DECLARED does not look at: one that is listed, or below one.
func (s *settings) leavesOut(name protoreflect.FullName) bool {
	return slices.ContainsFunc(s.declaredExcept, func(outer string) bool {
		return string(name) == outer || strings.HasPrefix(string(name), outer+".")
	})
}

// isCredential is true for a header whose value must not be known to everyone.
func (s *settings) isCredential(header string) bool {
	return slices.ContainsFunc(s.credentialHeaders, func(name string) bool {
		return strings.EqualFold(name, header)
	})
}
