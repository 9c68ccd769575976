package policy

import (
	"slices"
	"strings"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// Numbers of grpcauth.v1.Header's and grpcauth.v1.Values' fields.
const (
	headerName     = 1
	headerType     = 2
	headerOptional = 3
	headerEquals   = 10
	headerIn       = 11
	headerBearer   = 13
	headerBasic    = 14
	headerVerify   = 15
	valuesValues   = 1
)

const (
	maxHeaders = 64 // a rule
	maxValues  = 64 // a list
)

// reservedNames are keys that transports drop, rewrite or interpret.
var reservedNames = []string{ //nolint:gochecknoglobals // a constant list
	"connection", "content-type", "cookie", "host", "keep-alive", "te", "trailer", "transfer-encoding",
	"upgrade", "user-agent",
}

// reservedPrefixes are the same for whole families.
var reservedPrefixes = []string{"grpc-", "proxy-"} //nolint:gochecknoglobals // a constant list

// checkHeader checks one header by itself. name is its name in messages, such as "headers[0]". A header
// with findings is not resolved, so that it causes no others.
func checkHeader(at place, name string, stated *grpcauthv1.Header) (*Header, Findings) {
	resolved := &Header{Name: stated.GetName()}
	findings := checkName(at.sub(headerName), name, stated.GetName())
	if stated.GetOptional() {
		findings = append(findings, unsupported(at.sub(headerOptional), name, "optional"))
	}
	switch check := stated.GetCheck().(type) {
	case *grpcauthv1.Header_Equals:
		resolved.Check, resolved.Literals = Equals, []string{check.Equals}
		if why := whyNotLiteral(check.Equals); why != "" {
			findings = append(findings, at.sub(headerEquals).finding("%s.equals: the literal %s", name, why))
		}
	case *grpcauthv1.Header_In:
		resolved.Check, resolved.Literals = In, check.In.GetValues()
		findings = append(findings, checkValues(at.sub(headerIn), name, check.In.GetValues())...)
	case *grpcauthv1.Header_Present:
		resolved.Check = Present
	case *grpcauthv1.Header_Bearer:
		return nil, append(findings, unsupported(at.sub(headerBearer), name, "bearer"))
	case *grpcauthv1.Header_Basic:
		return nil, append(findings, unsupported(at.sub(headerBasic), name, "basic"))
	case *grpcauthv1.Header_Verify:
		return nil, append(findings, unsupported(at.sub(headerVerify), name, "verify"))
	default:
		return nil, append(findings, at.finding("%s: no check is set: say equals, in or present", name))
	}
	if isBinary(stated.GetName()) && resolved.Check != Present {
		findings = append(findings, at.finding(
			"%s: %s is refused on a -bin name, whose value is bytes: use present", name, resolved.Check))
	}
	findings = append(findings, checkType(at.sub(headerType), name, resolved, stated.GetType())...)
	if len(findings) > 0 {
		return nil, findings
	}
	return resolved, nil
}

func unsupported(at place, name, what string) Finding {
	if name != "" {
		name += "."
	}
	return at.finding("%s%s: not supported yet by this version of protoc-gen-go-grpcauth; "+
		"it supports headers with equals, in and present", name, what)
}

// checkName accepts the metadata keys that arrive at a server as they were sent.
func checkName(at place, header, name string) Findings {
	switch {
	case name == "":
		return Findings{at.finding("%s.name: must be set to a metadata key, such as %q", header, "x-api-key")}
	case !isKey(name) && isKey(strings.ToLower(name)):
		return Findings{at.finding("%s.name: %q must be lower case: %q", header, name, strings.ToLower(name))}
	case !isKey(name):
		return Findings{at.finding("%s.name: %q is not a metadata key: it must match [a-z][0-9a-z_.-]*", header, name)}
	case slices.Contains(reservedNames, name):
		return Findings{at.finding("%s.name: %q is reserved: transports drop, rewrite or interpret it; "+
			"choose another name", header, name)}
	}
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(name, prefix) {
			return Findings{at.finding("%s.name: %q is reserved: transports drop, rewrite or interpret names that "+
				"begin with %q; choose another name", header, name, prefix)}
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

// isBinary is true for keys whose value gRPC encodes in base64 on the wire.
func isBinary(name string) bool { return strings.HasSuffix(name, "-bin") }

func checkValues(at place, header string, values []string) Findings {
	var findings Findings
	switch {
	case len(values) == 0:
		findings = append(findings, at.finding("%s.in: values must list at least one literal", header))
	case len(values) > maxValues:
		findings = append(findings, at.finding(
			"%s.in: %d values; at most %d are allowed", header, len(values), maxValues))
	}
	for i, value := range values {
		if why := whyNotLiteral(value); why != "" {
			inside := at.sub(valuesValues, int32(i))
			findings = append(findings, inside.finding("%s.in.values[%d]: the literal %s", header, i, why))
		}
	}
	return findings
}

// checkType resolves the type of the header's value.
func checkType(at place, name string, resolved *Header, stated grpcauthv1.Type) Findings {
	_, known := grpcauthv1.Type_name[int32(stated)]
	switch {
	case !known:
		return Findings{at.finding("%s.type: unknown number %d: the schema's options are newer than this "+
			"protoc-gen-go-grpcauth; update it", name, stated)}
	case resolved.Check != Present:
		resolved.Type = grpcauthv1.Type_TYPE_STRING
		if stated != grpcauthv1.Type_TYPE_UNSPECIFIED {
			return Findings{at.finding("%s.type: only goes with present; %s compares text", name, resolved.Check)}
		}
	case isBinary(resolved.Name):
		resolved.Type = grpcauthv1.Type_TYPE_BYTES
		if stated != grpcauthv1.Type_TYPE_UNSPECIFIED && stated != grpcauthv1.Type_TYPE_BYTES {
			return Findings{at.finding("%s.type: the value of a -bin name is TYPE_BYTES", name)}
		}
	case stated == grpcauthv1.Type_TYPE_UNSPECIFIED:
		resolved.Type = grpcauthv1.Type_TYPE_STRING
	case stated == grpcauthv1.Type_TYPE_BYTES:
		return Findings{at.finding(
			"%s.type: TYPE_BYTES needs a name that ends in -bin: %q", name, resolved.Name+"-bin")}
	default:
		resolved.Type = stated
	}
	return nil
}
