package refusals

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	benchv1 "github.com/grpcauth/protoc-gen-go-grpcauth/bench/v1"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/systems"
)

// This test's binary is also the server's.
func TestMain(m *testing.M) {
	asked, err := ServeIfAsked(os.Stdin, os.Stdout)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case !asked:
		os.Exit(m.Run())
	}
}

func TestRefusedCallsAreCharged(t *testing.T) {
	t.Parallel()
	results := measure.Results{}
	for _, prepare := range []func(int) (*measure.Group, error){Small, Large} {
		group, err := prepare(1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(group.Close)
		if err := group.Run(regexp.MustCompile("/(careful|guard)$"), results); err != nil {
			t.Fatal(err)
		}
	}
	if len(results) != 12 {
		t.Errorf("%d variants", len(results))
	}
	for name, series := range results {
		if series[0].Nanos <= 0 || series[0].Allocs < 1 || series[0].Bytes < 1 {
			t.Errorf("%s: %+v", name, series[0])
		}
	}
	// An interceptor is asked when the body has been received.
	if body := results["refused/1 MiB/careful"][0].Bytes; body < mebibyte {
		t.Errorf("a body of 1 MiB costs %v bytes", body)
	}
}

func TestAcceptedCallsAreNoticed(t *testing.T) {
	t.Parallel()
	system, err := systems.Named(systems.None)
	if err != nil {
		t.Fatal(err)
	}
	server, err := start(system.Name)
	if err != nil {
		t.Fatal(err)
	}
	caller, err := newCaller(system, server)
	if err != nil {
		t.Fatal(err)
	}
	client := benchv1.NewLiteralsClient(caller.old)
	if err := caller.refused(1, client, unary(nil)); err == nil {
		t.Error("a call that is accepted counts as refused")
	}
	caller.close()
	if err := server.stop(); err != nil {
		t.Error(err)
	}
}

func TestUnknownSystemsDoNotStart(t *testing.T) {
	t.Parallel()
	if _, err := start("nobody"); err == nil || !strings.Contains(err.Error(), "the server's address") {
		t.Errorf("got %v", err)
	}
}

// docs/performance.md says how the body is compressed.
func TestBodiesAreAQuarterWhenCompressed(t *testing.T) {
	t.Parallel()
	body := text(mebibyte)
	var compressed bytes.Buffer
	writer := gzip.NewWriter(&compressed)
	if _, err := writer.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if ratio := float64(compressed.Len()) / float64(len(body)); len(body) != mebibyte || ratio < 0.2 || ratio > 0.35 {
		t.Errorf("%d bytes become %d", len(body), compressed.Len())
	}
}
