// Real peers: clients and servers in other languages. Nobody else should inherit what they need.
module github.com/grpcauth/protoc-gen-go-grpcauth/interop

go 1.26.0

require (
	connectrpc.com/connect v1.21.1
	connectrpc.com/cors v0.1.0
	connectrpc.com/grpcreflect v1.3.1
	github.com/grpcauth/protoc-gen-go-grpcauth v0.0.0-00010101000000-000000000000
	github.com/rs/cors v1.11.1
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
)

replace github.com/grpcauth/protoc-gen-go-grpcauth => ..
