package tables

import (
	"context"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/property"
)

// Ends makes both ends of a service, as its generated code would.
func Ends(service *plan.Service) property.Ends {
	table := &authimpl.Service{Name: service.Name}
	for i := range service.Methods {
		table.Methods = append(table.Methods, tableMethod(&service.Methods[i]))
	}
	ends := property.Ends{Service: service, Values: map[string]property.Accessor{}}
	var verifiers []authimpl.Verifier
	var suppliers []authimpl.Supplier
	for i, slot := range service.Slots() {
		made := newSlot(service, i, slot, table)
		suppliers = append(suppliers, made.supplier)
		if slot.Verified() {
			verifiers = append(verifiers, made.verifier)
		} else {
			ends.Values[slot.Name] = made.accessor
		}
	}
	ends.Server = authimpl.NewServerInterceptor(table, nil, verifiers...)
	ends.Client = authimpl.NewClientInterceptor(table, nil, suppliers...)
	return ends
}

func tableMethod(method *plan.Method) authimpl.Method {
	stated := authimpl.Method{
		FullMethod: method.Name,
		Public:     method.Access == plan.Public,
		GuardedBy:  method.GuardedBy,
		Headers:    tableHeaders(method.Headers),
		Denial:     authimpl.Denial{Code: method.Code, Message: method.Message},
	}
	for _, alternative := range method.AnyOf {
		stated.AnyOf = append(stated.AnyOf, tableHeaders(alternative))
	}
	return stated
}

func tableHeaders(headers []plan.Header) []authimpl.Header {
	var stated []authimpl.Header
	for _, h := range headers {
		one := authimpl.Header{Name: h.Name, Optional: h.Optional, Scopes: h.Scopes, Scheme: h.Scheme}
		switch h.Check {
		case plan.Equals:
			one.Equals = h.Literals[0]
		case plan.In:
			one.In = h.Literals
		case plan.Present:
			setType(&one.Present, h.Type)
		case plan.Bearer:
			one.Bearer = true
		case plan.Basic:
			one.Basic = true
		case plan.Verify:
			setType(&one.Verify, h.Type)
		}
		stated = append(stated, one)
	}
	return stated
}

// setType writes a type through a pointer, because package authimpl has no name for the type of types.
func setType[T ~uint8](to *T, typ plan.Type) {
	*to = map[plan.Type]T{
		plan.String: T(authimpl.String), plan.Int64: T(authimpl.Int64), plan.Uint64: T(authimpl.Uint64),
		plan.Bool: T(authimpl.Bool), plan.Bytes: T(authimpl.Bytes),
	}[typ]
}

// slot is what a service has for one of its slots.
type slot struct {
	supplier authimpl.Supplier
	verifier authimpl.Verifier
	accessor property.Accessor
}

func newSlot(service *plan.Service, at int, header *plan.Header, table *authimpl.Service) slot {
	field := service.GoName + "Credentials." + header.Slot().Field()
	switch header.Check {
	case plan.Bearer:
		return slot{
			supplier: authimpl.SupplyBearer(header.Name, field, property.Source[grpcauth.Secret](service, at)),
			verifier: authimpl.VerifyBearer(header.Name, verifier[grpcauth.Secret](service, at)),
		}
	case plan.Basic:
		return slot{
			supplier: authimpl.SupplyBasic(header.Name, field, property.Source[grpcauth.BasicAuth](service, at)),
			verifier: authimpl.VerifyBasic(header.Name, func(
				ctx context.Context, call grpcauth.Call, username string, password grpcauth.Secret,
			) (context.Context, error) {
				return property.VerifyBasic(ctx, service, at, call, username, password)
			}),
		}
	case plan.Verify:
		return newVerified(service, at, header, field)
	case plan.Equals, plan.In, plan.Present:
	}
	return newValue(service, at, header, field, table)
}

func newVerified(service *plan.Service, at int, header *plan.Header, field string) slot {
	switch header.Type {
	case plan.Int64:
		return verified[int64](service, at, header, field)
	case plan.Uint64:
		return verified[uint64](service, at, header, field)
	case plan.Bool:
		return verified[bool](service, at, header, field)
	case plan.String, plan.Bytes:
	}
	return verified[grpcauth.Secret](service, at, header, field)
}

func newValue(service *plan.Service, at int, header *plan.Header, field string, table *authimpl.Service) slot {
	switch header.Type {
	case plan.Int64:
		return value[int64](service, at, header, field, table)
	case plan.Uint64:
		return value[uint64](service, at, header, field, table)
	case plan.Bool:
		return value[bool](service, at, header, field, table)
	case plan.Bytes:
		return value[[]byte](service, at, header, field, table)
	case plan.String:
	}
	return value[string](service, at, header, field, table)
}

func verified[T authimpl.Verifiable](service *plan.Service, at int, header *plan.Header, field string) slot {
	return slot{
		supplier: authimpl.SupplyValue(header.Name, header.Scheme, field, property.Source[T](service, at)),
		verifier: authimpl.VerifyValue(header.Name, header.Scheme, verifier[T](service, at)),
	}
}

func verifier[T any](
	service *plan.Service, at int,
) func(context.Context, grpcauth.Call, T) (context.Context, error) {
	return func(ctx context.Context, call grpcauth.Call, value T) (context.Context, error) {
		return property.Verify(ctx, service, at, call, value)
	}
}

func value[T authimpl.Text](
	service *plan.Service, at int, header *plan.Header, field string, table *authimpl.Service,
) slot {
	return slot{
		supplier: authimpl.Supply(header.Name, field, property.Source[T](service, at)),
		accessor: func(ctx context.Context) (any, bool) {
			return authimpl.FromContext[T](ctx, table, header.Name)
		},
	}
}
