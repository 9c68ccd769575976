package draw

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/fuzz/internal/oracle"
)

// Answers makes the table of what verifiers say. Which of the answers a credential gets is anybody's guess, but
// it is always the same one.
func (s *Source) Answers() func(slot, credential string) oracle.Answer {
	const different = 4
	table := make([]oracle.Answer, different)
	for i := range table {
		table[i] = s.answer()
	}
	return func(slot, credential string) oracle.Answer {
		sum := 0
		for _, c := range []byte(slot + credential) {
			sum += int(c)
		}
		return table[sum%different]
	}
}

func (s *Source) answer() oracle.Answer {
	const half, codes, daysInHours = 2, 17, 48
	const permissionDenied, unavailable, unauthenticated = 7, 14, 16
	grants := [][]string{{"read", "write"}, {"write", "read", "more"}, {"read"}, {}, {"Read"}}
	made := oracle.Answer{
		Code:    Of(s, s.Pick(codes), unavailable, permissionDenied, unauthenticated),
		Message: Of(s, "not you", ""),
		Wrapped: s.Chance(half),
		Grants:  Of(s, grants...),
	}
	made.Silent = s.Chance(half * half)
	if s.Chance(half) {
		made.Act = oracle.Act(s.Pick(oracle.Acts))
	}
	if s.Chance(half) {
		made.Hours = s.Pick(daysInHours) - 1
	}
	return made
}

// Call makes metadata for a rule: mostly what it demands, each part wrong in every way now and then.
func (s *Source) Call(rule *oracle.Rule) *oracle.Call {
	const sometimes, deadline, cancelled = 12, 4, 1
	call := &oracle.Call{Metadata: map[string][]string{}}
	if s.Chance(sometimes) {
		call.Ended = Of(s, cancelled, deadline)
	}
	var done []string
	for _, h := range rule.All() {
		if slices.Contains(done, h.Name) {
			continue
		}
		done = append(done, h.Name)
		values := s.values(rule, h.Name)
		if len(values) > 0 {
			call.Metadata[h.Name] = values
		}
	}
	call.Metadata["x-unrelated"] = []string{"1", "2"}
	return call
}

// values are those of one key: usually one.
func (s *Source) values(rule *oracle.Rule, name string) []string {
	switch s.Pick(20) {
	case 0:
		return nil
	case 1:
		return []string{s.Value(rule, name), s.Value(rule, name)}
	case 2:
		return []string{"", s.Value(rule, name)}
	}
	return []string{s.Value(rule, name)}
}

// Value is one that some header of that name in the rule accepts, or nearly.
func (s *Source) Value(rule *oracle.Rule, name string) string {
	var candidates []oracle.Header
	for _, h := range rule.All() {
		if h.Name == name {
			candidates = append(candidates, h)
		}
	}
	if len(candidates) == 0 {
		return s.Text()
	}
	chosen := Of(s, candidates...)
	return s.spoil(s.right(&chosen), &chosen)
}

// right is a value that the header accepts.
func (s *Source) right(h *oracle.Header) string {
	switch h.Check {
	case oracle.Equals, oracle.In:
		return Of(s, h.Literals...)
	case oracle.Bearer:
		return "Bearer " + Of(s, "t", "token", "t.o-k_e~n+/=", `"`)
	case oracle.Basic:
		parts := Of(s, "ann:pw", "ann:p:w", "é:\xff", "a:b", "an:b")
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(parts))
	case oracle.Present, oracle.Verify:
	}
	text := s.typed(h.Type)
	if h.Scheme != "" {
		return h.Scheme + " " + text
	}
	return text
}

func (s *Source) typed(typ oracle.Type) string {
	switch typ {
	case oracle.Int64:
		return Of(s, "0", "7", "-7", "9223372036854775807", "-9223372036854775808")
	case oracle.Uint64:
		return Of(s, "0", "7", "18446744073709551615")
	case oracle.Bool:
		return Of(s, "true", "false")
	case oracle.String, oracle.Bytes:
	}
	return Of(s, "v", "a b", "x,y", "\xff\x00", "é")
}

// spoil leaves most values as they are.
func (s *Source) spoil(text string, h *oracle.Header) string {
	const ways, asItIs, long = 50, 36, 8192
	switch s.Pick(ways) - asItIs {
	case 0:
		return ""
	case 1:
		return " " + text
	case 2:
		return text + " "
	case 3:
		return strings.Replace(text, " ", "  ", 1)
	case 4:
		return strings.Replace(text, " ", "", 1)
	case 5:
		return strings.ToUpper(text)
	case 6:
		return Of(s, strings.ToLower(text), "0"+text)
	case 7:
		return text + "," + text
	case 8:
		return text + strings.Repeat("9", long-len(text)) + Of(s, "", "9")
	case 9, 12, 13:
		return s.nearly(h)
	case 10:
		return text + s.Text()
	case 11:
		return s.Text()
	}
	return text
}

// nearly is a value that looks like one that the header accepts.
func (s *Source) nearly(h *oracle.Header) string {
	switch h.Check {
	case oracle.Bearer:
		return Of(s,
			"Bearer", "Bearer ", "Bearer t,t", "Bearer t t", "Bearer\tt", "Bearert", "Bearer é", "Basic t", "t")
	case oracle.Basic:
		return "Basic " + Of(s,
			"YW5u", "OnB3", "YW5uOg==", "YTpiCg==", "CjpiYg==", "YTpi\n", "YW46Yh==", "YTpi=", "Ojo=", "YTpi_w==", "")
	case oracle.Equals, oracle.In:
		return h.Literals[0] + Of(s, ",", "2", "\x00")
	case oracle.Present, oracle.Verify:
	}
	text := Of(s, "+7", "07", "-0", "0x7", "٣", "True", "1",
		"9223372036854775808", "18446744073709551616", "-1", "7.0", "")
	if h.Scheme != "" {
		return Of(s, h.Scheme, strings.ToLower(h.Scheme), "\u017f") + " " + text
	}
	return text
}
