package generator

import (
	"fmt"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

func serverComment(service *service) []string {
	return wrap(fmt.Sprintf("%s returns the check that %s asks for: a call that lacks what its method requires "+
		"is refused before the handler runs.", service.newServer, service.Descriptor.FullName()))
}

func clientComment(service *service) []string {
	return wrap(fmt.Sprintf("%s returns what supplies the metadata that %s requires, to the methods that require "+
		"it and to no others.", service.newClient, service.Descriptor.FullName()))
}

func verifierComment(service *service) []string {
	return wrap(fmt.Sprintf("%s decides about the credentials that %s asks for. The application implements it and "+
		"hands it to %s. A method is called only where its header is there once and in its form, and so are all that "+
		"are required with it.", service.verifier, service.Descriptor.FullName(), service.newServer))
}

func credentialsComment(service *service) []string {
	sentence := fmt.Sprintf("%s holds where a client of %s gets the values that are left to run time. A field left "+
		"nil means that this client has none: a call that needs it fails locally", service.credentials,
		service.Descriptor.FullName())
	optional, alternative := false, false
	for _, method := range service.Methods {
		alternative = alternative || len(method.AnyOf) > 0
		for header := range method.All() {
			optional = optional || header.Optional
		}
	}
	if optional {
		sentence += ", an optional header is left out"
	}
	if alternative {
		sentence += ", an alternative that needs it is not taken"
	}
	sentence += "."
	if len(service.verified()) > 0 {
		sentence += " Credentials that the server verifies travel on secure transports only, unless " +
			"grpcauth.AllowInsecureTransport says otherwise."
	}
	return wrap(sentence)
}

// content says what of a header's value a slot holds.
func (s *slot) content() string {
	switch name := s.header.Name; {
	case s.kind == bearer:
		return "the bearer token in " + name
	case s.kind == basic:
		return "the user name and password in " + name
	case s.header.Scheme != "":
		return "what follows the scheme " + s.header.Scheme + " in " + name
	default:
		return name
	}
}

func fieldComment(slot *slot) []string {
	content := slot.content()
	if slot.kind == value || slot.kind == verified {
		content += fmt.Sprintf(" (%s)", slot.typeOf())
	}
	return wrap(fmt.Sprintf("%s supplies %s to %s.", slot.field, content, methodNames(slot.methods)))
}

func accessorComment(service *service, slot *slot) []string {
	sentence := fmt.Sprintf("%s returns the %s of the call, for the handlers of %s. It is false unless the check of "+
		"%s ran on this call and the headers that passed contain it", slot.accessor, slot.header.Name,
		methodNames(slot.methods), service.Descriptor.FullName())
	sentence += "."
	if slot.mayBeAbsent() {
		sentence += " A call may pass without it."
	}
	return wrap(sentence)
}

// mayBeAbsent is true if the header is optional or in an alternative for some method.
func (s *slot) mayBeAbsent() bool {
	for _, method := range s.methods {
		for _, header := range method.Headers {
			if keyOf(header) == keyOf(s.header) && header.Optional {
				return true
			}
		}
		for _, alternative := range method.AnyOf {
			for _, header := range alternative.Headers {
				if keyOf(header) == keyOf(s.header) {
					return true
				}
			}
		}
	}
	return false
}

func verifyComment(slot *slot) []string {
	return wrap(fmt.Sprintf("%s verifies %s, for calls of %s.",
		slot.verifier, slot.content(), methodNames(slot.methods)))
}

// most methods are listed in a comment. The constructors' tables have all of them.
const most = 10

// methodNames lists methods in a sentence: "SayHello, Transfer and Chat". A long list is cut.
func methodNames(methods []*policy.Method) string {
	names := make([]string, 0, most)
	for _, method := range methods {
		if len(names) == most {
			return fmt.Sprintf("%s and %d more", strings.Join(names, ", "), len(methods)-most)
		}
		names = append(names, string(method.Descriptor.Name()))
	}
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// wrap breaks a sentence into lines of a doc comment.
func wrap(sentence string) []string {
	const width = 100
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(sentence) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
