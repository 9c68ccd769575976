package policy

import (
	"encoding/base64"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// textType is the type of a value of which nothing is known.
const textType = grpcauthv1.Type_TYPE_STRING

// isVerified is true for the checks about which the application decides.
func (h *Header) isVerified() bool { return h.Check == Bearer || h.Check == Basic || h.Check == Verify }

// acceptedWith is true if the verifier of h accepts a value because that of another header, nil for none, does
// so and grants that header's scopes. Values that two verifiers accept need have nothing in common.
func (h *Header) acceptedWith(other *Header) bool {
	return other != nil && h.Name == other.Name && h.Check == other.Check && h.Type == other.Type &&
		strings.EqualFold(h.Scheme, other.Scheme) &&
		!slices.ContainsFunc(h.Scopes, func(scope string) bool { return !slices.Contains(other.Scopes, scope) })
}

// holds is true if the check lets a text pass. It is for the checks that are not verified.
func (h *Header) holds(text string) bool {
	if h.Check == Present {
		return hasType(h.Type, text)
	}
	return slices.Contains(h.Literals, text)
}

// hasType is true for the spelling of a value of the type in metadata.
func hasType(typ grpcauthv1.Type, text string) bool {
	const decimal, bits = 10, 64
	switch typ {
	case grpcauthv1.Type_TYPE_INT64:
		n, err := strconv.ParseInt(text, decimal, bits)
		return err == nil && strconv.FormatInt(n, decimal) == text
	case grpcauthv1.Type_TYPE_UINT64:
		n, err := strconv.ParseUint(text, decimal, bits)
		return err == nil && strconv.FormatUint(n, decimal) == text
	case grpcauthv1.Type_TYPE_BOOL:
		return text == "true" || text == "false"
	case grpcauthv1.Type_TYPE_UNSPECIFIED, grpcauthv1.Type_TYPE_STRING, grpcauthv1.Type_TYPE_BYTES:
	}
	return text != ""
}

// texts returns values that the header's check lets pass (where it is verified: that it hands to the verifier).
// For each value that is left out there is one among them with which no more of the other checks of its key
// pass. A value that is no literal of theirs is that one for all, if it is not of a type by chance: of a number
// that fits two types, say. All of the values are returned where they are literals, and where a type has so few
// that literals name them all.
func (h *Header) texts(checks []*Header) []string {
	if h.Check == Equals || h.Check == In {
		return h.Literals
	}
	taken := map[string]bool{}
	for _, check := range checks {
		for _, literal := range check.Literals {
			taken[literal] = true
		}
	}
	var all []string
	for text := range h.values() {
		if !taken[text] {
			return []string{text}
		}
		all = append(all, text)
	}
	return all
}

// values goes through different values that the check lets pass. It ends only where these are all.
func (h *Header) values() iter.Seq[string] {
	return func(yield func(string) bool) {
		for scheme := range h.schemes() {
			for n := uint64(0); h.Type != grpcauthv1.Type_TYPE_BOOL || n <= 1; n++ {
				if !yield(scheme + h.value(n)) {
					return
				}
			}
		}
	}
}

// value is the n-th value of a type, without its scheme. Numbers fit into no other type.
func (h *Header) value(n uint64) string {
	const decimal = 10
	word := "w" + strconv.FormatUint(n, decimal)
	switch {
	case h.Check == Basic:
		return base64.StdEncoding.EncodeToString([]byte("u:" + word))
	case h.Type == grpcauthv1.Type_TYPE_INT64:
		return "-" + strconv.FormatUint(n+1, decimal)
	case h.Type == grpcauthv1.Type_TYPE_UINT64:
		return strconv.FormatUint(math.MaxUint64-n, decimal)
	case h.Type == grpcauthv1.Type_TYPE_BOOL:
		return strconv.FormatBool(n == 0)
	default:
		return word
	}
}

// schemes goes through what can stand before the value, in each spelling of the scheme.
func (h *Header) schemes() iter.Seq[string] {
	scheme := h.Scheme
	switch h.Check {
	case Bearer:
		scheme = "Bearer"
	case Basic:
		scheme = "Basic"
	case Equals, In, Present, Verify:
	}
	return func(yield func(string) bool) {
		if scheme == "" {
			yield("")
			return
		}
		letters := 0
		for i := range len(scheme) {
			if scheme[i]|0x20 >= 'a' {
				letters++
			}
		}
		for n := uint64(0); n>>letters == 0; n++ { // where there are 64 letters, no rule has so many literals
			if !yield(respell(scheme, n) + " ") {
				return
			}
		}
	}
}

// respell changes the case of those letters whose bits are set.
func respell(scheme string, bits uint64) string {
	spelled := []byte(scheme)
	for i, c := range spelled {
		if c|0x20 >= 'a' {
			spelled[i] ^= byte(bits&1) << 5 //nolint:mnd // the bit that tells cases apart
			bits >>= 1
		}
	}
	return string(spelled)
}
