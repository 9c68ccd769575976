// Package grpcauth is the runtime of protoc-gen-go-grpcauth: it refuses gRPC calls that lack the
// metadata which their .proto file requires, and supplies that metadata in clients.
//
// Its types are made by generated constructors. For a service Greeter:
//
//	server := grpc.NewServer(greeterv1.NewGreeterServerInterceptor().ServerOptions()...)
//	conn, err := grpc.NewClient(target, greeterv1.NewGreeterClientInterceptor().DialOptions()...)
//
// If the rules ask for credentials that the application verifies, the server's constructor takes a verifier,
// and if a client has to know values, its constructor takes sources of them:
//
//	bankv1.NewBankServerInterceptor(verifier)
//	bankv1.NewBankClientInterceptor(bankv1.BankCredentials{XApiKey: grpcauth.Static(key)})
//
// # What a check decides
//
// A required header must arrive exactly once, non-empty, and pass the check of its rule. Nothing is
// trimmed, split on commas or case-folded. A refused caller gets the rule's code and message and nothing
// else, and the handler does not run. Values never appear in errors.
//
// First comes what needs no verifier of a rule's headers, then their verifiers in order, then the alternatives.
// A verifier says who calls ([WithPrincipal]), what the credential grants ([WithGrantedScopes]) and until when
// ([WithExpiry]) through the context that it returns. Whatever else it does, only a clear yes passes.
//
// # What is not checked
//
// Services without rules, such as health or reflection, pass unless [DenyUnlisted] is given. Metadata
// that Go code in the same process builds with mixed-case keys (metadata.MD{"Authorization": ...}) beside
// lower-case ones cannot be told apart through grpc's API: only the lower-case key is read. Keys that
// arrive over a network are always in lower case.
package grpcauth
