package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

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
	options.Range(func(key string, value any) {
		values, isList := value.([]string)
		switch {
		case key != declaredExcept && key != credentialHeaders && key != openMethods:
			wrong = fmt.Errorf("unknown option %q: known are %s, %s and %s",
				key, declaredExcept, credentialHeaders, openMethods)
		case !isList:
			wrong = fmt.Errorf("option %s: write a list of strings", key)
		case key == declaredExcept:
			read.declaredExcept = values
		case key == credentialHeaders:
			read.credentialHeaders = append(read.credentialHeaders, values...)
		case key == openMethods:
			read.openMethods, read.openListed = values, true
		}
	})
	if wrong == nil {
		wrong = read.check()
	}
	return read, wrong
}

// check refuses names that can match nothing.
func (s *settings) check() error {
	if slices.Equal(s.openMethods, []string{nobody}) {
		s.openMethods = nil
	}
	const example = ": write it as in greeter.v1.Greeter.Ping"
	for _, name := range s.openMethods {
		if !protoreflect.FullName(name).IsValid() || !strings.Contains(name, ".") {
			return fmt.Errorf("option %s: %q is no full name of a method%s", openMethods, name, example)
		}
	}
	for _, name := range s.declaredExcept {
		if !protoreflect.FullName(name).IsValid() {
			return fmt.Errorf("option %s: %q is no full name%s", declaredExcept, name, example)
		}
	}
	for _, name := range s.credentialHeaders {
		if strings.ContainsFunc(name, unicode.IsSpace) {
			return fmt.Errorf("option %s: %q is no header name", credentialHeaders, name)
		}
	}
	return nil
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
