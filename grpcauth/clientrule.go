package grpcauth

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// clientRule is what one method's calls need, made once.
type clientRule struct {
	creds   *callCredentials
	option  grpc.CallOption
	lacking []lacking // what this client cannot supply
}

// lacking is something required that no source is set for: one header, or one of several alternatives. The
// caller may supply it itself, in the outgoing metadata.
type lacking struct {
	anyOf [][]string // the keys of each alternative; one with one key for a header
	err   error      // for a call without it
}

// newClientRule returns nil for a method that needs nothing from a client.
func newClientRule(rule *rules.Rule, suppliers []rules.Supplier, settings clientSettings) (*clientRule, error) {
	headers, anyOf := rule.Required()
	if len(headers) == 0 && len(anyOf) == 0 {
		return nil, nil //nolint:nilnil // "nothing to do" is no error
	}
	made := &clientRule{creds: &callCredentials{fullMethod: rule.FullMethod, allowInsecure: settings.allowInsecure}}
	for _, header := range headers {
		value, field, err := supplied(header, suppliers)
		switch {
		case err != nil:
			return nil, err
		case field == "":
			made.creds.headers = append(made.creds.headers, value)
		case !header.Optional:
			made.lacking = append(made.lacking, lacking{
				anyOf: [][]string{{header.Header}},
				err: localError(rule.FullMethod, header.Header,
					"this client has no value for it: set "+field),
			})
		}
	}
	if err := made.addAlternatives(anyOf, suppliers); err != nil {
		return nil, err
	}
	made.creds.prepare()
	made.option = grpc.PerRPCCredentials(made.creds)
	return made, nil
}

// addAlternatives keeps those whose sources are all set.
func (r *clientRule) addAlternatives(anyOf [][]rules.Required, suppliers []rules.Supplier) error {
	without := lacking{}
	var hints []string
	for _, alternative := range anyOf {
		values := make([]suppliedValue, 0, len(alternative))
		var keys, quoted, fields []string
		for _, header := range alternative {
			value, field, err := supplied(header, suppliers)
			if err != nil {
				return err
			}
			keys = append(keys, header.Header)
			quoted = append(quoted, strconv.Quote(header.Header))
			values = append(values, value)
			if field != "" {
				fields = append(fields, field)
			}
		}
		if len(fields) == 0 {
			r.creds.anyOf = append(r.creds.anyOf, values)
		}
		without.anyOf = append(without.anyOf, keys)
		hints = append(hints, fmt.Sprintf("%s (set %s)",
			strings.Join(quoted, " with "), strings.Join(fields, " and ")))
	}
	if len(anyOf) > 0 && len(r.creds.anyOf) == 0 {
		without.err = localErrorf(r.creds.fullMethod,
			"requires one of several alternatives, and this client has the values of none: %s",
			strings.Join(hints, ", or "))
		r.lacking = append(r.lacking, without)
	}
	return nil
}

// supplied returns what supplies a header. field is "" unless the user left it nil: then it names it.
func supplied(header rules.Required, suppliers []rules.Supplier) (value suppliedValue, field string, err error) {
	value = suppliedValue{required: header}
	if header.Literal != "" {
		return value, "", nil
	}
	at := slices.IndexFunc(suppliers, func(s rules.Supplier) bool { return s.Slot == header.Slot })
	switch {
	case at < 0:
		return value, "", fmt.Errorf("header %q has no supplier", header.Header)
	case suppliers[at].Fetch == nil:
		return value, suppliers[at].Field, nil
	}
	value.fetch, value.field = suppliers[at].Fetch, suppliers[at].Field
	return value, "", nil
}

// prepare arranges for a call's values to be sent. It fails where the call would lack one.
func (r *clientRule) prepare(
	ctx context.Context, opts []grpc.CallOption,
) (context.Context, []grpc.CallOption, error) {
	outgoing, present := metadata.FromOutgoingContext(ctx)
	for _, lacking := range r.lacking {
		if !lacking.in(outgoing) {
			return nil, nil, lacking.err
		}
	}
	if present && r.creds.removeFrom(outgoing) {
		ctx = metadata.NewOutgoingContext(ctx, outgoing)
	}
	option := r.option
	if callers := callersCredentials(opts); callers != nil {
		option = grpc.PerRPCCredentials(&composedCredentials{ours: r.creds, callers: callers})
	}
	// The slice may be the caller's own: appending in its spare room would be a data race.
	return ctx, append(slices.Clip(opts), option), nil
}

// in is true if the caller supplies all keys of one of the alternatives.
func (l *lacking) in(outgoing metadata.MD) bool {
	return slices.ContainsFunc(l.anyOf, func(keys []string) bool {
		return !slices.ContainsFunc(keys, func(key string) bool { return len(outgoing[key]) == 0 })
	})
}

// callersCredentials returns the credentials that grpc would use without us: those of the last option.
func callersCredentials(opts []grpc.CallOption) credentials.PerRPCCredentials {
	for _, opt := range slices.Backward(opts) {
		switch option := opt.(type) {
		case grpc.PerRPCCredsCallOption:
			return option.Creds
		case *grpc.PerRPCCredsCallOption:
			return option.Creds
		}
	}
	return nil
}
