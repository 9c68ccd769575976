package plan

import (
	"regexp"
	"strings"
)

var humps = regexp.MustCompile(`([A-Z]|[-_.]?[a-z])[a-z]*`)

// GoName spells a metadata key or a scheme as protoc-gen-go would spell a field of that name.
func GoName(key string) string {
	spelled := humps.ReplaceAllStringFunc(key, func(hump string) string {
		hump = strings.TrimLeft(hump, "-_.")
		return strings.ToUpper(hump[:1]) + hump[1:]
	})
	return strings.NewReplacer("-", "_", ".", "_").Replace(spelled)
}

// Field is the slot's field in the credentials of a service. With "Verify" before it, it is the method of the
// verifier.
func (s Slot) Field() string {
	switch s.Kind {
	case Bearer:
		return GoName(s.Name) + "Bearer"
	case Basic:
		return GoName(s.Name) + "Basic"
	case Verify:
		return GoName(s.Name) + GoName(s.Scheme)
	case Equals, In, Present:
	}
	return GoName(s.Name)
}
