package agree

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/program"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/schema"
)

// The same property, through what is really generated: the code of 20 schemas is compiled beside verifiers and
// credentials whose names and types come from the documentation, and run.
func TestBothEndsAgreeInGeneratedCode(t *testing.T) {
	t.Parallel()
	const count = 20
	began := time.Now()
	dir := newModule(t)
	var packages []string
	for seed := uint64(1); len(packages) < count; seed++ {
		set := resolve(t, seed)
		if set == nil || len(set.Services) == 0 {
			continue
		}
		file := schema.Random(seed)
		name := file.Package()
		packages = append(packages, name)
		generate(t, dir, name, file.Text(module))
		wiring, err := program.Wiring(name, set)
		if err != nil {
			t.Fatal(err)
		}
		planned, err := json.Marshal(set) //nolint:musttag // read back into the same type, and by nobody else
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name, "wiring.go"), wiring)
		write(t, filepath.Join(dir, name, "plan.json"), string(planned))
	}
	main, err := program.Main(module, packages)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "main_test.go"), main)
	generated := time.Since(began)

	out, err := goCommand(t, dir, "test", "-count=1", "-v", "-vet=off", "-ldflags=-s -w", ".")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tally := regexp.MustCompile(`[0-9]+ calls: .*`).FindString(out)
	if tally == "" {
		t.Fatalf("the program does not say how many calls it made:\n%s", out)
	}
	t.Logf("%d sets: %s; generated in %v, compiled and run in %v",
		count, tally, generated.Round(time.Millisecond), (time.Since(began) - generated).Round(time.Millisecond))
}
