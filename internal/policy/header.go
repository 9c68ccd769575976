package policy

import (
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
	headerVerify   = 15
	valuesValues   = 1
)

const maxValues = 64 // a list

// checkHeader checks one header by itself. A header with findings is not resolved, so that it causes no
// others.
func checkHeader(at place, stated *grpcauthv1.Header) (*Header, Findings) {
	resolved := &Header{Name: stated.GetName(), Optional: stated.GetOptional(), at: at}
	findings := checkName(at.in(headerName, "name"), stated.GetName())
	switch check := stated.GetCheck().(type) {
	case *grpcauthv1.Header_Equals:
		resolved.Check, resolved.Literals = Equals, []string{check.Equals}
		if why := whyNotLiteral(check.Equals); why != "" {
			findings = append(findings, at.in(headerEquals, "equals").finding("the literal %s", why))
		}
	case *grpcauthv1.Header_In:
		resolved.Check, resolved.Literals = In, check.In.GetValues()
		findings = append(findings, checkValues(at.in(headerIn, "in"), check.In.GetValues())...)
	case *grpcauthv1.Header_Present:
		resolved.Check = Present
	case *grpcauthv1.Header_Bearer:
		resolved.Check, resolved.Scopes = Bearer, check.Bearer.GetScopes()
		findings = append(findings, checkScopes(at.in(headerBearer, "bearer"), bearerScopes, resolved.Scopes)...)
	case *grpcauthv1.Header_Basic:
		resolved.Check = Basic
	case *grpcauthv1.Header_Verify:
		resolved.Check, resolved.Scopes, resolved.Scheme = Verify, check.Verify.GetScopes(), check.Verify.GetScheme()
		inside := at.in(headerVerify, "verify")
		findings = append(findings, checkScheme(inside.in(verifyScheme, "scheme"), resolved)...)
		findings = append(findings, checkScopes(inside, verifyScopes, resolved.Scopes)...)
	default:
		return nil, append(findings, at.finding(
			"no check is set: say equals, in, present, bearer, basic or verify"))
	}
	if isBinary(stated.GetName()) && resolved.Check != Present && resolved.Check != Verify {
		findings = append(findings, at.finding(
			"%s is refused on a -bin name, whose value is bytes: use present or verify", resolved.Check))
	}
	findings = append(findings, checkType(at.in(headerType, "type"), resolved, stated.GetType())...)
	if len(findings) > 0 {
		return nil, findings
	}
	return resolved, nil
}

// isBinary is true for keys whose value gRPC encodes in base64 on the wire.
func isBinary(name string) bool { return strings.HasSuffix(name, "-bin") }

func checkValues(at place, values []string) Findings {
	var findings Findings
	switch {
	case len(values) == 0:
		findings = append(findings, at.finding("values must list at least one literal"))
	case len(values) > maxValues:
		findings = append(findings, at.finding("%d values; at most %d are allowed", len(values), maxValues))
	}
	for i, value := range values {
		if why := whyNotLiteral(value); why != "" {
			findings = append(findings, at.item(valuesValues, "values", i).finding("the literal %s", why))
		}
	}
	return findings
}

// checkType resolves the type of the header's value.
func checkType(at place, resolved *Header, stated grpcauthv1.Type) Findings {
	_, known := grpcauthv1.Type_name[int32(stated)]
	switch {
	case !known:
		return Findings{at.finding("unknown number %d: the schema's options are newer than this "+
			"protoc-gen-go-grpcauth; update it", stated)}
	case resolved.Check != Present && resolved.Check != Verify:
		resolved.Type = grpcauthv1.Type_TYPE_STRING
		if stated != grpcauthv1.Type_TYPE_UNSPECIFIED {
			return Findings{at.finding("only goes with present and verify, not with %s", resolved.Check)}
		}
	case isBinary(resolved.Name):
		resolved.Type = grpcauthv1.Type_TYPE_BYTES
		if stated != grpcauthv1.Type_TYPE_UNSPECIFIED && stated != grpcauthv1.Type_TYPE_BYTES {
			return Findings{at.finding("the value of a -bin name is TYPE_BYTES")}
		}
	case stated == grpcauthv1.Type_TYPE_UNSPECIFIED:
		resolved.Type = grpcauthv1.Type_TYPE_STRING
	case stated == grpcauthv1.Type_TYPE_BYTES:
		return Findings{at.finding("TYPE_BYTES needs a name that ends in -bin: %q", resolved.Name+"-bin")}
	default:
		resolved.Type = stated
	}
	return nil
}
