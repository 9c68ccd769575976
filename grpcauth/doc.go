// Package grpcauth is the runtime of protoc-gen-go-grpcauth: it refuses gRPC calls that lack the
// metadata which their .proto file requires, and supplies that metadata in clients.
//
// Its types are made by generated constructors. For a service Greeter:
//
//	server := grpc.NewServer(greeterv1.NewGreeterServerInterceptor().ServerOptions()...)
//	conn, err := grpc.NewClient(target, greeterv1.NewGreeterClientInterceptor().DialOptions()...)
//
// # What a check decides
//
// A required header must arrive exactly once, non-empty, and pass the check of its rule. Nothing is
// trimmed, split on commas or case-folded. A refused caller gets the rule's code and message and nothing
// else, and the handler does not run. Values never appear in errors.
//
// # What is not checked
//
// Services without rules, such as health or reflection, pass unless [DenyUnlisted] is given. Metadata
// that Go code in the same process builds with mixed-case keys (metadata.MD{"Authorization": ...}) beside
// lower-case ones cannot be told apart through grpc's API: only the lower-case key is read. Keys that
// arrive over a network are always in lower case.
package grpcauth
