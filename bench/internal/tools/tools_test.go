package tools

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/plugins"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/schema"
)

func TestPlugins(t *testing.T) {
	t.Parallel()
	w, err := NewWorkshop()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	request, err := w.request(schema.Load(2, 10))
	if err != nil {
		t.Fatal(err)
	}

	// Each writes what it is taken for.
	for plugin, want := range map[string]int{w.ours: 2, w.goGRPC: 2, w.floor: 0} {
		files, err := plugins.Run(plugin, request)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != want {
			t.Errorf("%s writes %d files, want %d", filepath.Base(plugin), len(files), want)
		}
		if plugin != w.ours {
			continue
		}
		text := files[0].GetContent()
		for line, want := range map[string]int{"FullMethod: ": 10, "Public: ": 1, "Present: authimpl.Int64": 2} {
			if got := strings.Count(text, line); got != want {
				t.Errorf("our code has %q %d times, want %d", line, got, want)
			}
		}
	}

	wire, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(t.TempDir(), "request")
	if err := writeFile(input, wire); err != nil {
		t.Fatal(err)
	}
	sample, err := w.command("ours", input, w.ours).Sample()
	if err != nil {
		t.Fatal(err)
	}
	if sample.Nanos < 1e5 || sample.Nanos > 1e10 || sample.Bytes < 1<<20 || sample.Bytes > 1<<30 {
		t.Errorf("the plugin's process is measured as %+v", sample)
	}
	if _, err := w.command("failing", "/dev/null", w.ours, "--nonsense").Sample(); err == nil {
		t.Error("a plugin that fails is measured")
	}
}

func TestCompilation(t *testing.T) {
	t.Parallel()
	w, err := NewWorkshop()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	group, err := w.Compilation(1)
	if err != nil {
		t.Fatal(err)
	}
	results := measure.Results{}
	if err := group.Run(regexp.MustCompile(""), results); err != nil {
		t.Fatal(err)
	}
	if len(results) != 3 {
		t.Errorf("%d variants", len(results))
	}
}
