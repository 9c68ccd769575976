package gateway

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/vectors"
)

var loadVectors = sync.OnceValues(func() ([]*vectors.File, error) {
	return vectors.Load(os.DirFS(filepath.Join("..", "..", "testdata", "vectors")))
})

// TestT4_VectorsAtTheGateway makes the calls of testdata/vectors as HTTP calls with JSON, through real gateways in each
// mode, and compares all that can be seen of them at both ends. What the gateway does differently, the case says.
func TestT4_VectorsAtTheGateway(t *testing.T) {
	t.Parallel()
	files, err := loadVectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(file.Theme, func(t *testing.T) {
			t.Parallel()
			for _, mode := range vectorModes {
				for _, wire := range vectorWires {
					t.Run(mode.name+"/"+strings.ReplaceAll(wire.name, "/", " "), func(t *testing.T) {
						t.Parallel()
						runVectors(t, file, mode, wire)
					})
				}
			}
		})
	}
}

func runVectors(t *testing.T, file *vectors.File, mode vectorMode, wire vectorWire) {
	t.Helper()
	services := file.Services()
	door := openGateway(t, file, services, mode, wire)
	for _, stated := range file.Cases {
		if !isCalled(stated) {
			continue
		}
		t.Run(stated.Name, func(t *testing.T) {
			c, lost := stated.Over(wire.name, stated.AtGateway), false
			if c == nil {
				c, lost = stated, true
			}
			for _, kind := range mode.kinds {
				service := services[c.Rule]
				differences := service.Try(t.Context(), c, kind, func(ctx context.Context) vectors.Answer {
					return door.call(ctx, t, service, kind, c)
				})
				switch {
				case !lost:
					for _, difference := range differences {
						t.Errorf("%s: %s", kind, difference)
					}
				case len(differences) == 0:
					t.Errorf("%s: travels by %s, although the case says that it does not", kind, wire.name)
				}
			}
		})
	}
}

// isCalled is true for what a caller of a gateway can try to send.
func isCalled(c *vectors.Case) bool { return c.Calls() && c.By != vectors.ByInProcess }

// The most cases that may be unlike those of a caller of gRPC.
const (
	mostRefusedOtherwise   = 18 // with the same code and text, or in place of a call that passes
	mostNotCarried         = 14 // by any version of HTTP
	mostNotCarriedByHTTP1  = 35
	leastCasesAtTheGateway = 990
)

// TestVectorsThatTheGatewayChanges counts them, each of which says why.
func TestVectorsThatTheGatewayChanges(t *testing.T) {
	t.Parallel()
	files, err := loadVectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, wire := range vectorWires {
		carried, lost, refused := 0, 0, 0
		for _, file := range files {
			for _, c := range file.Cases {
				switch {
				case !isCalled(c):
				case c.Over(wire.name, c.AtGateway) == nil:
					lost++
				case c.AtGateway != nil:
					refused++
				default:
					carried++
				}
			}
		}
		most := mostNotCarried
		if !wire.http2 {
			most = mostNotCarriedByHTTP1
		}
		if lost > most || refused > mostRefusedOtherwise || carried < leastCasesAtTheGateway {
			t.Errorf("by %s, %d cases are as stated, %d do not travel, %d are refused otherwise", wire.name, carried, lost, refused)
		}
		t.Logf("by %s, %d cases are as stated, %d do not travel, %d are refused otherwise", wire.name, carried, lost, refused)
	}
}
