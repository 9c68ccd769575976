package property

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

// tampers sends metadata past the client's interceptor: what each way through the rule needs, and the same with
// one header removed, doubled or altered.
func (c *checker) tampers() {
	for alternative := range max(1, len(c.method.AnyOf)) {
		whole := metadata.MD{}
		path := c.method.Headers
		if len(c.method.AnyOf) > 0 {
			path = slices.Concat(path, c.method.AnyOf[alternative])
		}
		for _, header := range path {
			whole[header.Name] = []string{header.Wire(header.Right(c.service.Name))}
		}
		what := fmt.Sprintf("plain, alternative %d", alternative)
		c.send(what, whole, plan.Passes)
		c.send(what+" with headers of other methods", c.withOthers(whole), plan.Passes)
		for i, header := range path {
			if alternative == 0 || i >= len(c.method.Headers) {
				c.tamper(what, whole, header)
			}
		}
		c.doubleOthers(what, whole)
	}
}

// tamper spoils one header.
func (c *checker) tamper(what string, whole metadata.MD, header plan.Header) {
	right, wrongs := whole[header.Name][0], c.wrongs(header)
	with := func(how string, want plan.Verdict, values ...string) {
		md := whole.Copy()
		delete(md, header.Name)
		if len(values) > 0 {
			md[header.Name] = values
		}
		c.send(what+": "+header.Name+" "+how, md, want)
	}
	guarded := c.method.Access == plan.Guarded
	ofRule := slices.ContainsFunc(c.method.Headers, func(h plan.Header) bool { return h.Name == header.Name })
	switch {
	case guarded:
		return
	case header.Optional:
		with("removed", plan.Passes)
	case ofRule, len(c.method.AnyOf) == 1:
		with("removed", plan.Denied)
	default:
		with("removed", "") // another alternative may do without it
	}
	with("doubled", plan.Denied, right, right)
	for _, wrong := range []string{"", wrongs[len(wrongs)-1]} {
		with("doubled with a wrong one", plan.Denied, right, wrong)
		with("doubled after a wrong one", plan.Denied, wrong, right)
	}
	for _, wrong := range wrongs {
		verdict := plan.Verdict("")
		if ofRule {
			verdict = plan.Denied
		}
		with(fmt.Sprintf("altered to %.40q", wrong), verdict, wrong)
	}
	if header.Verified() && len(header.Scopes) > 0 {
		with("without a scope", "", header.Wire(header.Narrow(c.service.Name)))
	}
	if header.Check == plan.Bearer || header.Check == plan.Basic || header.Scheme != "" {
		scheme, rest, _ := strings.Cut(right, " ")
		with("of another case", plan.Passes, strings.ToUpper(scheme)+" "+rest)
	}
}

// wrongs are values that the header's check refuses.
func (c *checker) wrongs(h plan.Header) []string {
	value := h.Right(c.service.Name)
	right := h.Wire(value)
	long := strings.Repeat("1", 8193) //nolint:mnd // one more than the runtime takes
	wrongs := []string{"", long}
	typed := map[plan.Type][]string{
		plan.Int64:  {"+7", "07", "-0", "0x7", "9223372036854775808", "seven", "1.0", "true"},
		plan.Uint64: {"-1", "+7", "07", "18446744073709551616", "seven", "1e3"},
		plan.Bool:   {"TRUE", "1", "0", "t", "yes"},
	}
	switch h.Check {
	case plan.Equals, plan.In:
		wrongs = append(wrongs, right+"x", right[:len(right)-1], "x"+right, right+","+right, flip(right),
			flip(right[:1])+right[1:], right[:len(right)-1]+flip(right[len(right)-1:]))
	case plan.Present:
		wrongs = append(wrongs, typed[h.Type]...)
	case plan.Bearer:
		wrongs = append(wrongs, "Bearer wrong", right+"x", value.Text, "Bearer", "Bearer ", "Basic "+value.Text,
			"Bearer  "+value.Text, "Bearer"+value.Text, right+","+right, "Bearer "+flip(value.Text))
	case plan.Basic:
		encode := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
		wrongs = append(wrongs, encode(value.Username+":wrong"), encode("wrong:"+value.Text), encode(value.Username),
			encode(value.Username+":"), encode(":"+value.Text), right+"=", right+"!", "Basic",
			"Bearer "+right, strings.Replace(right, " ", "  ", 1))
	case plan.Verify:
		scheme, _, _ := strings.Cut(right, " ")
		prefix := ""
		if h.Scheme != "" {
			prefix = scheme + " "
			wrongs = append(wrongs, value.Text, scheme, prefix, "No"+right, prefix+" "+value.Text)
		}
		for _, wrong := range typed[h.Type] {
			wrongs = append(wrongs, prefix+wrong)
		}
		if h.Type == plan.String || h.Type == plan.Bytes {
			wrongs = append(wrongs, right+"x", prefix+"wrong", prefix+flip(value.Text))
		}
	}
	return slices.DeleteFunc(wrongs, func(wrong string) bool {
		return wrong == right || slices.Contains(h.Literals, wrong) // a literal beside the first
	})
}

// flip changes the case of letters.
func flip(text string) string {
	return strings.Map(func(r rune) rune {
		if upper := unicode.ToUpper(r); upper != r {
			return upper
		}
		return unicode.ToLower(r)
	}, text)
}

// doubleOthers sends headers that only other alternatives name.
func (c *checker) doubleOthers(what string, whole metadata.MD) {
	for _, header := range c.method.All() {
		if _, there := whole[header.Name]; there {
			continue
		}
		right := header.Wire(header.Right(c.service.Name))
		for how, values := range map[string][]string{
			"doubled": {right, right}, "empty": {""}, "right": {right}, "wrong": {"wrong"},
		} {
			want := plan.Verdict("")
			if how == "doubled" || how == "empty" {
				want = plan.Denied
			}
			md := whole.Copy()
			md[header.Name] = values
			c.send(what+" with "+header.Name+", of another, "+how, md, want)
		}
	}
}

// withOthers adds what the set's other methods name and this one does not, doubled.
func (c *checker) withOthers(whole metadata.MD) metadata.MD {
	md := whole.Copy()
	for _, ends := range c.ends {
		for i := range ends.Service.Methods {
			for _, header := range ends.Service.Methods[i].All() {
				md[header.Name] = []string{"another's", "another's"}
			}
		}
	}
	for _, header := range c.method.All() {
		delete(md, header.Name)
	}
	maps.Copy(md, whole)
	return md
}

// send makes a call with exactly this metadata. must is the verdict that there has to be, where that is plain
// without the naive server.
func (c *checker) send(what string, md metadata.MD, must plan.Verdict) {
	c.Helper()
	verdict, path := c.method.Judge(c.service.Name, md)
	if must != "" && verdict != must {
		c.failf(what, "%.60q %s in the naive server, which is wrong", md, verdict)
	}
	seen, err := c.call(metadata.NewOutgoingContext(c.Context(), md), c.plain, c.method)
	code := c.method.Code
	switch verdict {
	case plan.Passes:
		c.passes(what, err, seen, md, path)
		return
	case plan.ScopeMissing:
		code = codes.PermissionDenied
	case plan.Denied:
	}
	c.tally.Refused++
	if got := status.Convert(err); got.Code() != code || got.Message() != c.method.Message {
		c.failf(what, "got %v, want %s %q", err, code, c.method.Message)
	}
	if seen == nil || seen.ran != 0 {
		c.failf(what, "the handler ran, or nothing arrived: %+v", seen)
	}
}
