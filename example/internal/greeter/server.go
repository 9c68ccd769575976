package greeter

import (
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
)

// NewServer returns a gRPC server that enforces the rules of greeter.proto. Health and reflection have
// no rules and are open, as load balancers and tools expect.
func NewServer(service *Service) *grpc.Server {
	server := grpc.NewServer(greeterv1.NewGreeterServerInterceptor().ServerOptions()...)
	greeterv1.RegisterGreeterServer(server, service)

	healthServer := health.NewServer()
	healthServer.SetServingStatus(greeterv1.Greeter_ServiceDesc.ServiceName, healthv1.HealthCheckResponse_SERVING)
	healthv1.RegisterHealthServer(server, healthServer)
	reflection.Register(server)
	return server
}
