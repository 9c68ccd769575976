// Package authz compares this module's decisions with those of google.golang.org/grpc/authz, for rules that both
// can express. It is a module of its own, because grpc/authz has dependencies that nobody else should inherit.
package authz
