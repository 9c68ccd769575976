package plan

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Verdict is what a server does with a call.
type Verdict string

// The verdicts.
const (
	Passes       Verdict = "passes"
	Denied       Verdict = "is denied"
	ScopeMissing Verdict = "lacks a scope"
)

// Judge is the naive server: what it does with metadata, and by which headers a call passes.
func (m *Method) Judge(service string, md map[string][]string) (verdict Verdict, path []Header) {
	if m.Access == Guarded {
		return Passes, nil
	}
	if !m.arriveOnce(md) {
		return Denied, nil
	}
	for _, header := range m.Headers {
		if len(md[header.Name]) > 0 {
			path = append(path, header)
		} else if !header.Optional {
			return Denied, nil
		}
	}
	if verdict = judgeAll(service, path, md); verdict != Passes || len(m.AnyOf) == 0 {
		return verdict, path
	}
	first := Denied // also where none applies
	failed := false
	for _, alternative := range m.AnyOf {
		if slices.ContainsFunc(alternative, func(h Header) bool { return !h.applies(md[h.Name]) }) {
			continue
		}
		verdict = judgeAll(service, alternative, md)
		if verdict == Passes {
			return Passes, slices.Concat(path, alternative)
		}
		if !failed {
			first, failed = verdict, true
		}
	}
	return first, nil
}

// arriveOnce is true if no header that the rule names anywhere is there twice, empty or too long.
func (m *Method) arriveOnce(md map[string][]string) bool {
	const most = 8192
	return !slices.ContainsFunc(m.All(), func(h *Header) bool {
		values := md[h.Name]
		return len(values) > 1 || len(values) == 1 && (values[0] == "" || len(values[0]) > most)
	})
}

// judgeAll looks at headers that are all there: first at what can be seen, then at what the application says.
func judgeAll(service string, headers []Header, md map[string][]string) Verdict {
	for _, header := range headers {
		if !header.Verified() && !header.allows(md[header.Name][0]) {
			return Denied
		}
	}
	for _, header := range headers {
		if header.Verified() && !header.wellFormed(md[header.Name][0]) {
			return Denied
		}
	}
	for _, header := range headers {
		if !header.Verified() {
			continue
		}
		switch rest := header.afterScheme(md[header.Name][0]); {
		case rest == header.afterScheme(header.Wire(header.Right(service))):
		case rest != header.afterScheme(header.Wire(header.Narrow(service))):
			return Denied
		case len(header.Scopes) > 0:
			return ScopeMissing
		}
	}
	return Passes
}

func (h *Header) scheme() string {
	switch h.Check {
	case Bearer:
		return "Bearer"
	case Basic:
		return "Basic"
	case Equals, In, Present, Verify:
	}
	return h.Scheme
}

func (h *Header) applies(values []string) bool {
	if len(values) == 0 {
		return false
	}
	word, _, _ := strings.Cut(values[0], " ")
	return h.scheme() == "" || strings.EqualFold(word, h.scheme())
}

// afterScheme is what the application gets to see, as it is encoded; "" if the scheme is another.
func (h *Header) afterScheme(text string) string {
	scheme := h.scheme()
	if scheme == "" {
		return text
	}
	if len(text) <= len(scheme) || !strings.EqualFold(text[:len(scheme)+1], scheme+" ") {
		return ""
	}
	return text[len(scheme)+1:]
}

// wellFormed is exact only for what the application would refuse anyway, apart from values of a type.
func (h *Header) wellFormed(text string) bool {
	rest := h.afterScheme(text)
	return rest != "" && (h.Check != Verify || h.hasType(rest))
}

// allows is the check of a header that the application has no part in.
func (h *Header) allows(text string) bool {
	if h.Check == Equals || h.Check == In {
		return slices.Contains(h.Literals, text)
	}
	return h.hasType(text)
}

var canonical = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

func (h *Header) hasType(text string) bool {
	const base, bits = 10, 64
	var err error
	switch h.Type {
	case Int64:
		_, err = strconv.ParseInt(text, base, bits)
		return err == nil && canonical.MatchString(text)
	case Uint64:
		_, err = strconv.ParseUint(text, base, bits)
		return err == nil && canonical.MatchString(text)
	case Bool:
		return text == "true" || text == "false"
	case String, Bytes:
	}
	return text != ""
}
