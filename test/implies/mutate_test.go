package implies

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// mutated is a copy of the rule in which one thing is other, or a few are. It may be invalid.
func (d draw) mutated(rule *grpcauthv1.Rule) *grpcauthv1.Rule {
	made := proto.CloneOf(rule)
	for range 1 + d.IntN(3) {
		d.mutate(made)
	}
	return made
}

func (d draw) mutate(rule *grpcauthv1.Rule) {
	switch d.IntN(12) {
	case 0:
		d.word(rule)
	case 1, 2, 3:
		d.list(rule)
	case 4:
		d.alternatives(rule)
	case 5:
		d.shuffle(rule)
	case 6:
		d.move(rule)
	default:
		if headers := all(rule); len(headers) > 0 {
			d.alter(pick(d, headers...))
		}
	}
}

func all(rule *grpcauthv1.Rule) []*grpcauthv1.Header {
	headers := slices.Clone(rule.GetHeaders())
	for _, alternative := range rule.GetAnyOf() {
		headers = append(headers, alternative.GetHeaders()...)
	}
	return headers
}

// word says public or guarded_by, or takes it back.
func (d draw) word(rule *grpcauthv1.Rule) {
	switch d.IntN(3) {
	case 0:
		rule.Public, rule.AnyOf = true, nil
		for _, header := range rule.GetHeaders() {
			header.Optional = true
		}
	case 1:
		proto.Reset(rule)
		rule.GuardedBy = "a proxy"
	case 2:
		rule.Public, rule.GuardedBy = false, ""
		for _, header := range rule.GetHeaders() {
			header.Optional = false
		}
	}
}

// list adds a header, or drops one.
func (d draw) list(rule *grpcauthv1.Rule) {
	list := &rule.Headers
	if len(rule.GetAnyOf()) > 0 && d.chance(60) {
		list = &pick(d, rule.GetAnyOf()...).Headers
	}
	if len(*list) > 0 && d.chance(60) {
		at := d.IntN(len(*list))
		*list = slices.Delete(*list, at, at+1)
		return
	}
	header := d.header(pick(d, names...))
	header.Optional = rule.GetPublic()
	*list = append(*list, header)
}

// alternatives adds one, drops one, or says one twice, for a part of its values or for all.
func (d draw) alternatives(rule *grpcauthv1.Rule) {
	if len(rule.GetAnyOf()) == 0 || d.chance(30) {
		rule.AnyOf = append(rule.AnyOf, d.alternative(names))
		return
	}
	at := d.IntN(len(rule.GetAnyOf()))
	if d.chance(40) {
		rule.AnyOf = slices.Delete(rule.GetAnyOf(), at, at+1)
		return
	}
	copied := proto.CloneOf(rule.GetAnyOf()[at])
	rule.AnyOf = append(rule.AnyOf, copied)
	if len(copied.GetHeaders()) > 0 {
		halve(pick(d, rule.GetAnyOf()[at].GetHeaders()...), pick(d, copied.GetHeaders()...))
	}
}

// halve shares the literals out to two headers, where both have the same list.
func halve(one, other *grpcauthv1.Header) {
	values := one.GetIn().GetValues()
	if n := len(values) / 2; n > 0 && other.GetIn() != nil && one.GetName() == other.GetName() {
		one.GetIn().Values, other.GetIn().Values = values[:n], values[n:]
	}
}

// shuffle says the same in another order.
func (d draw) shuffle(rule *grpcauthv1.Rule) {
	swap := func(headers []*grpcauthv1.Header) {
		d.Shuffle(len(headers), func(i, j int) { headers[i], headers[j] = headers[j], headers[i] })
	}
	swap(rule.GetHeaders())
	d.Shuffle(len(rule.GetAnyOf()), func(i, j int) {
		rule.AnyOf[i], rule.AnyOf[j] = rule.GetAnyOf()[j], rule.GetAnyOf()[i]
	})
	for _, alternative := range rule.GetAnyOf() {
		swap(alternative.GetHeaders())
	}
	for _, header := range all(rule) {
		for _, list := range [][]string{
			header.GetIn().GetValues(), header.GetBearer().GetScopes(), header.GetVerify().GetScopes(),
		} {
			d.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		}
	}
}

// move makes a header that all need one of an alternative, or of each, or the other way round.
func (d draw) move(rule *grpcauthv1.Rule) {
	if len(rule.GetAnyOf()) == 0 {
		return
	}
	if len(rule.GetHeaders()) == 0 || d.chance(30) {
		rule.Headers = append(rule.Headers, pick(d, rule.GetAnyOf()...).GetHeaders()...)
		at := d.IntN(len(rule.GetAnyOf()))
		rule.AnyOf = slices.Delete(rule.GetAnyOf(), at, at+1)
		return
	}
	at := d.IntN(len(rule.GetHeaders()))
	header := rule.GetHeaders()[at]
	rule.Headers = slices.Delete(rule.GetHeaders(), at, at+1)
	for _, alternative := range rule.GetAnyOf() {
		if d.chance(80) {
			alternative.Headers = append(alternative.Headers, proto.CloneOf(header))
		}
	}
}

// alter changes one header: its check as a whole, or a part of it.
func (d draw) alter(h *grpcauthv1.Header) {
	switch d.IntN(5) {
	case 0:
		h.Optional = !h.GetOptional()
		return
	case 1:
		h.Type, h.Check = 0, &grpcauthv1.Header_Present{Present: &grpcauthv1.Present{}}
		if !isBinary(h.GetName()) && d.chance(60) {
			h.Type = pick(d, types...)
		}
		return
	}
	switch check := h.GetCheck().(type) {
	case *grpcauthv1.Header_Equals:
		h.Check = &grpcauthv1.Header_In{In: &grpcauthv1.Values{Values: []string{check.Equals, pick(d, literals...)}}}
	case *grpcauthv1.Header_In:
		d.elements(&check.In.Values, literals)
	case *grpcauthv1.Header_Bearer:
		d.elements(&check.Bearer.Scopes, scopes)
	case *grpcauthv1.Header_Verify:
		if d.chance(30) {
			check.Verify.Scheme = strings.ToUpper(check.Verify.GetScheme())
		} else {
			d.elements(&check.Verify.Scopes, scopes)
		}
	default:
		d.check(h)
	}
}

// elements adds one to a list, or drops one.
func (d draw) elements(list *[]string, from []string) {
	if len(*list) > 0 && d.chance(50) {
		at := d.IntN(len(*list))
		*list = slices.Delete(*list, at, at+1)
		return
	}
	if one := pick(d, from...); !slices.Contains(*list, one) {
		*list = append(*list, one)
	}
}
