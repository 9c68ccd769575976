// Package property holds what must be true of both ends of a set of services, however the ends were made, and
// what an application brings to them: sources and verifiers.
package property

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

// supplyKey leads to what a client has for a call: a plan.Supply.
type supplyKey struct{}

// trail is the principal of these services: the slots of all verifiers that let the call pass, in order.
type trail []plan.Slot

// Source is the client's source for one of a service's slots.
func Source[T any](service *plan.Service, slot int) grpcauth.Source[T] {
	wanted := service.Slots()[slot].Slot()
	return func(ctx context.Context, call grpcauth.Call) (T, error) {
		var none T
		method := service.Method(call.FullMethod)
		if err := declares(method, wanted, call); err != nil {
			return none, err
		}
		has, ok := ctx.Value(supplyKey{}).(plan.Supply)
		if !ok {
			return none, fmt.Errorf("%s asks for %q on another's call", call.FullMethod, call.Header)
		}
		value, ok := method.Has(service.Name, wanted, has)
		if !ok {
			return none, grpcauth.ErrNoCredential
		}
		return typed[T](value)
	}
}

// declares is an error if the method has no such slot with such scopes. It scribbles over the scopes, which are
// said to be the receiver's own.
func declares(method *plan.Method, slot plan.Slot, call grpcauth.Call) error {
	if method == nil {
		return fmt.Errorf("unknown method %q", call.FullMethod)
	}
	found := slices.ContainsFunc(method.All(), func(h *plan.Header) bool {
		return h.Slot() == slot && h.Name == call.Header && slices.Equal(h.Scopes, call.Scopes)
	})
	for i := range call.Scopes {
		call.Scopes[i] = "scribble"
	}
	if !found {
		return fmt.Errorf("%s declares no %+v with %+v", method.Name, slot, call)
	}
	return nil
}

// typed converts a value to what a source of its slot supplies.
func typed[T any](value plan.Value) (T, error) {
	const base, bits = 10, 64
	var made T
	var err error
	switch made := any(&made).(type) {
	case *string:
		*made = value.Text
	case *[]byte:
		*made = []byte(value.Text)
	case *int64:
		*made, err = strconv.ParseInt(value.Text, base, bits)
	case *uint64:
		*made, err = strconv.ParseUint(value.Text, base, bits)
	case *bool:
		*made, err = strconv.ParseBool(value.Text)
	case *grpcauth.Secret:
		*made = grpcauth.NewSecret(value.Text)
	case *grpcauth.BasicAuth:
		*made = grpcauth.BasicAuth{Username: value.Username, Password: grpcauth.NewSecret(value.Text)}
	default:
		err = fmt.Errorf("no header has a %T", made)
	}
	if err != nil {
		return made, fmt.Errorf("the plan's value: %w", err)
	}
	return made, nil
}

// Verify is the application's verifier for one of a service's slots.
func Verify[T any](
	ctx context.Context, service *plan.Service, slot int, call grpcauth.Call, value T,
) (context.Context, error) {
	return verify(ctx, service, service.Slots()[slot], call, plan.Value{Text: textOf(value)})
}

// VerifyBasic is the same for user names and passwords.
func VerifyBasic(
	ctx context.Context, service *plan.Service, slot int, call grpcauth.Call, username string, password grpcauth.Secret,
) (context.Context, error) {
	got := plan.Value{Username: username, Text: password.Reveal()}
	return verify(ctx, service, service.Slots()[slot], call, got)
}

// textOf is the reverse of typed.
func textOf(value any) string {
	switch value := value.(type) {
	case grpcauth.Secret:
		return value.Reveal()
	case []byte:
		return string(value)
	default:
		return fmt.Sprint(value)
	}
}

var errWrong = errors.New("not a credential of this service")

func verify(
	ctx context.Context, service *plan.Service, header *plan.Header, call grpcauth.Call, got plan.Value,
) (context.Context, error) {
	needed := slices.Clone(call.Scopes)
	if err := declares(service.Method(call.FullMethod), header.Slot(), call); err != nil {
		return nil, grpcauth.Deny(codes.DataLoss, err.Error()) // no rule's answer
	}
	known := withTrail(ctx, header)
	everything := grpcauth.WithGrantedScopes(known, append(needed, scopesOf(service)...)...)
	switch {
	case got == header.Right(service.Name):
		return everything, nil
	case got != header.Narrow(service.Name):
		return everything, errWrong // a context beside an error must not help
	case len(needed) > 1:
		return grpcauth.WithGrantedScopes(known, needed[:len(needed)-1]...), nil
	default:
		return known, nil // reports nothing: what an earlier verifier reported must not count
	}
}

// scopesOf are all that the service's rules ask for.
func scopesOf(service *plan.Service) []string {
	var scopes []string
	for i := range service.Methods {
		for _, header := range service.Methods[i].All() {
			scopes = append(scopes, header.Scopes...)
		}
	}
	return scopes
}

func withTrail(ctx context.Context, header *plan.Header) context.Context {
	before, _ := grpcauth.Principal[trail](ctx)
	return grpcauth.WithPrincipal(ctx, append(slices.Clone(before), header.Slot()))
}
