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
		row := []string{string(method.Descriptor.Name())}
		switch method.Access {
		case policy.Public:
			row = append(row, "OPEN: public", "")
		case policy.Guarded:
			row = append(row, "OPEN HERE: guarded by "+strconv.Quote(method.GuardedBy), "")
		case policy.Restricted, policy.Undeclared:
			row = append(row, needs(method), refusal(method.Denial))
		}
		rows = append(rows, row)
	}
	return align(rows)
}

// supplyTable is what a client's reader wants to know: each method, what is sent with it and whence.
func supplyTable(service *service) []string {
	fields := map[string]string{}
	for _, value := range service.values {
		fields[value.header.Name] = service.credentials + "." + value.field
	}
	rows := [][]string{{"method", "is sent"}}
	for _, method := range service.Methods {
		var sent []string
		for _, header := range method.Headers {
			if header.Check == policy.Equals {
				sent = append(sent, header.Name+" (literal)")
			} else {
				sent = append(sent, fmt.Sprintf("%s (%s)", header.Name, fields[header.Name]))
			}
		}
		if len(sent) == 0 {
			sent = []string{"nothing"}
		}
		rows = append(rows, []string{string(method.Descriptor.Name()), strings.Join(sent, ", ")})
	}
	return align(rows)
}

// needs lists a method's headers: "authorization (equals), x-tenant-id (present, int64)".
func needs(method *policy.Method) string {
	list := make([]string, 0, len(method.Headers))
	for _, header := range method.Headers {
		check := header.Check.String()
		if header.Check == policy.Present {
			check += ", " + goTypes[header.Type]
		}
		list = append(list, fmt.Sprintf("%s (%s)", header.Name, check))
	}
	return strings.Join(list, ", ")
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

// methodNames lists methods in a sentence: "SayHello, Transfer and Chat". A long list is cut; the
// constructors' tables have all of them.
func methodNames(methods []*policy.Method) string {
	const most = 10
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
