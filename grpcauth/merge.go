package grpcauth

import (
	"fmt"
	"maps"
)

// MergeServerInterceptors makes one interceptor of several, with one lookup for all their services:
//
//	interceptor := grpcauth.MergeServerInterceptors(
//		ordersv1.NewOrdersServerInterceptor(verifier, grpcauth.DenyUnlisted()),
//		greeterv1.NewGreeterServerInterceptor(),
//	)
//
// Verifiers, hooks and limits stay with their service. [DenyUnlisted] on one of them covers all: it refuses
// what none of them has rules for and what it does not except itself. [ReportOnly] on one of them is for its
// service alone, and for its own DenyUnlisted.
//
// It panics without an interceptor, on one that was not made by a generated constructor, and on the same
// service twice.
func MergeServerInterceptors(interceptors ...*ServerInterceptor) *ServerInterceptor {
	if len(interceptors) == 0 {
		panic("grpcauth: MergeServerInterceptors needs at least one interceptor")
	}
	merged := table{methods: map[string]*serverRule{}, passing: &passing{}}
	for _, interceptor := range interceptors {
		interceptor.mustBeMade()
		for _, service := range interceptor.table.services {
			if merged.lists(service.name) {
				panic(fmt.Sprintf("grpcauth: service %q is in two of the interceptors to merge", service.name))
			}
			merged.services = append(merged.services, service)
		}
		maps.Copy(merged.methods, interceptor.table.methods)
	}
	return &ServerInterceptor{table: merged}
}

// MergeClientInterceptors makes one interceptor of several, with one lookup for all their services. Sources
// and options stay with their service. It panics without an interceptor, on one that was not made by a
// generated constructor, and on the same service twice.
func MergeClientInterceptors(interceptors ...*ClientInterceptor) *ClientInterceptor {
	if len(interceptors) == 0 {
		panic("grpcauth: MergeClientInterceptors needs at least one interceptor")
	}
	merged := &ClientInterceptor{services: map[string]bool{}, methods: map[string]*clientRule{}}
	for _, interceptor := range interceptors {
		interceptor.mustBeMade()
		for service := range interceptor.services {
			if merged.services[service] {
				panic(fmt.Sprintf("grpcauth: service %q is in two of the interceptors to merge", service))
			}
			merged.services[service] = true
		}
		maps.Copy(merged.methods, interceptor.methods)
	}
	return merged
}
