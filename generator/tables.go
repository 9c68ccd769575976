package generator

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// policyTable is what a reviewer reads: each method, what it needs, what a refused caller gets. Values
// do not appear in it; text from the schema is quoted.
func policyTable(service *service) []string {
	rows := [][]string{{"method", "needs", "a refused caller gets"}}
	for _, method := range service.Methods {
		var refused string
		if method.Refuses() {
			refused = refusal(method.Denial)
		}
		needs := list(method, (*policy.Header).String)
		switch method.Access {
		case policy.Public:
			needs[0] = strings.TrimSuffix("OPEN: public; "+needs[0], "; ")
		case policy.Guarded:
			needs[0] = "OPEN HERE: guarded by " + strconv.Quote(method.GuardedBy)
		case policy.Restricted, policy.Undeclared:
		}
		rows = append(rows, []string{string(method.Descriptor.Name()), needs[0], refused})
		for _, more := range needs[1:] {
			rows = append(rows, []string{"", more, ""})
		}
	}
	return align(rows)
}

// supplyTable is what a client's reader wants to know: each method, what is sent with it and whence.
func supplyTable(service *service) []string {
	source := func(header *policy.Header) string {
		source := "literal"
		if slot := service.known[keyOf(header)]; slot != nil {
			source = service.credentials + "." + slot.field
		}
		if header.Optional {
			source = "optional, " + source
		}
		return fmt.Sprintf("%s (%s)", header.Name, source)
	}
	rows := [][]string{{"method", "is sent"}}
	for _, method := range service.Methods {
		sent := list(method, source)
		if sent[0] == "" {
			sent[0] = "nothing"
		}
		rows = append(rows, []string{string(method.Descriptor.Name()), sent[0]})
		for _, more := range sent[1:] {
			rows = append(rows, []string{"", more})
		}
	}
	return align(rows)
}

// scopesTable lists the methods that require scopes of a slot's credentials, and which.
func scopesTable(slot *slot) []string {
	var rows [][]string
	for _, method := range slot.methods {
		for header := range method.All() {
			if keyOf(header) != keyOf(slot.header) || len(header.Scopes) == 0 {
				continue
			}
			if len(rows) == most {
				return append(align(rows), "and more: see the table of the server's constructor")
			}
			rows = append(rows, []string{string(method.Descriptor.Name()), header.ScopeList()})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return align(rows)
}

// list lists a method's headers, each as spell spells it. Alternatives stand on lines of their own:
//
//	x-tenant-id (present, int64)
//	and one of: authorization (bearer)
//	        or: x-user (present, string) + x-api-key (verify)
func list(method *policy.Method, spell func(*policy.Header) string) []string {
	join := func(headers []*policy.Header, separator string) string {
		spelled := make([]string, 0, len(headers))
		for _, header := range headers {
			spelled = append(spelled, spell(header))
		}
		return strings.Join(spelled, separator)
	}
	var lines []string
	first, next := "one of: ", "    or: "
	if len(method.Headers) > 0 || len(method.AnyOf) == 0 {
		lines = append(lines, join(method.Headers, ", "))
		first, next = "and one of: ", "        or: "
	}
	for i, alternative := range method.AnyOf {
		if i > 0 {
			first = next
		}
		lines = append(lines, first+join(alternative.Headers, " + "))
	}
	return lines
}

// refusal spells a denial as gRPC does: UNAUTHENTICATED "Access denied!".
func refusal(denial policy.Denial) string {
	return strings.TrimPrefix(denial.Code.String(), "CODE_") + " " + strconv.Quote(denial.Message)
}

// align pads the cells of a table to columns.
func align(rows [][]string) []string {
	var text strings.Builder
	const minWidth, tabWidth, padding = 0, 8, 2
	writer := tabwriter.NewWriter(&text, minWidth, tabWidth, padding, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintln(writer, strings.Join(row, "\t")) // a strings.Builder does not fail
	}
	_ = writer.Flush() // as above
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}
