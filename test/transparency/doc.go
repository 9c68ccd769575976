// Package transparency runs grpc's own interop cases, google.golang.org/grpc/interop, with rules on their service:
// calls that pass a check behave like calls that are not checked at all. It is a module of its own, because these
// cases have dependencies that nobody else should inherit.
//
// The folders credentials and literal hold two sets of rules for the same service, and what is generated from them.
package transparency
