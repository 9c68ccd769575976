package policy

import (
	"slices"
	"strings"
)

// reservedNames are keys that transports drop, rewrite or interpret.
var reservedNames = []string{ //nolint:gochecknoglobals // a constant list
	"connection", "content-type", "cookie", "host", "keep-alive", "te", "trailer", "transfer-encoding",
	"upgrade", "user-agent",
}

// reservedPrefixes are the same for whole families.
var reservedPrefixes = []string{"grpc-", "proxy-"} //nolint:gochecknoglobals // a constant list

// checkName accepts the metadata keys that arrive at a server as they were sent.
func checkName(at place, name string) Findings {
	switch {
	case name == "":
		return Findings{at.finding("must be set to a metadata key, such as %q", "x-api-key")}
	case !isKey(name) && isKey(strings.ToLower(name)):
		return Findings{at.finding("%q must be lower case: %q", name, strings.ToLower(name))}
	case !isKey(name):
		return Findings{at.finding("%q is not a metadata key: it must match [a-z][0-9a-z_.-]*", name)}
	case slices.Contains(reservedNames, name):
		return Findings{at.finding("%q is reserved: transports drop, rewrite or interpret it; "+
			"choose another name", name)}
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(name, prefix) {
			return Findings{at.finding("%q is reserved: transports drop, rewrite or interpret names that "+
				"begin with %q; choose another name", name, prefix)}
		}
	}
	return nil
}

// isKey matches [a-z][0-9a-z_.-]*.
func isKey(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z'
		other := '0' <= c && c <= '9' || c == '_' || c == '.' || c == '-'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return name != ""
}
