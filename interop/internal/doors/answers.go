package doors

import (
	"strings"
	"sync/atomic"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
)

// answers is what the greeter says, without a word about access, at whichever door. It counts the calls that
// have reached it.
type answers struct{ handled atomic.Int64 }

const (
	// Nobody is who cannot be greeted: the caller gets a status with a detail.
	Nobody  = "Nobody"
	failure = "nobody to greet"
)

func advice() *greeterv1.SayHelloResponse { return &greeterv1.SayHelloResponse{Greeting: "try Ada"} }

func hello(name string) string { return "Hello " + name + "!" }

func together(names []string) string { return hello(strings.Join(names, " and ")) }
