package main

import (
	"context"
	"fmt"
	"time"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/doors"
)

const (
	callTimeout = 10 * time.Second

	ada     = "Ada"
	repeats = 2
)

// A goClient is one of ours: it calls every method and returns what it saw.
type goClient struct {
	name      string
	protocols []string
	calls     func(ctx context.Context, address, protocol, header string) ([]cases.Call, error)
}

func goClients() []goClient {
	return []goClient{
		{"grpc-go", []string{doors.GRPC}, callByGRPC},
		{"connect-go", []string{doors.GRPC, doors.GRPCWeb, doors.Connect}, callByConnect},
	}
}

func people() []string { return []string{ada, "Grace"} }

// nameFor is who is to be greeted: one that the greeter knows, or not.
func nameFor(kind string) string {
	if kind == cases.Details {
		return doors.Nobody
	}
	return ada
}

type greets interface{ GetGreeting() string }

func greetings(err error, answer greets) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return []string{answer.GetGreeting()}, nil
}

// greetingIn is what a status's detail says.
func greetingIn(detail any) string {
	if greeting, ok := detail.(*greeterv1.SayHelloResponse); ok {
		return greeting.GetGreeting()
	}
	return fmt.Sprintf("%T", detail)
}
