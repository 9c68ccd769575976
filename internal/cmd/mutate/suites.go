package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// suite is a part of the tests. Quick ones come first: most mutants meet their end there.
type suite struct {
	name    string
	folder  string
	filters []string
	timeout time.Duration
	binary  string
}

const (
	runtime   = "grpcauth"
	challenge = runtime + "/challenge"
	connect   = "connect" // a suite that is run by its name only
)

// asks is true for a suite whose tests may notice the mutant.
func (s *suite) asks(one *mutant) bool {
	return (s.folder == challenge) == (path.Dir(one.file) == challenge)
}

// allSuites end with all tests of each package.
func allSuites() []suite {
	return []suite{
		{name: "rules", folder: "grpcauth/internal/rules"},
		{name: "vectors", folder: runtime, filters: []string{"-test.run=^TestVectors$/.*/^Authorize$"}},
		{name: "quick", folder: runtime, filters: []string{
			"-test.run=T8_|T20_|T21_Hooks|Accessors|Principal|SecretSet|ErrorsOfVerifiers|TestVerifiers|EndedCall|Past",
		}},
		{name: "client", folder: runtime, filters: []string{
			"-test.run=TestClient|T2[5789]_|T26_[^S]|T26_SecretsT|T30_|T43_Sources|ErrorsOfSources",
		}},
		{name: "expiry", folder: runtime, filters: []string{"-test.run=Expir|Streams|AuthorizedContext"}},
		{name: "others", folder: runtime, filters: []string{"-test.skip=Vectors|T26_SecretsOnPlain|Rotation"}},
		{name: "all", folder: runtime},
		{name: "challenge", folder: challenge},
		{name: connect, folder: runtime + "/connectauth", filters: []string{"-test.parallel=8"}}, // they wait
	}
}

// buildSuites compiles the test binaries and runs them once without a mutant, which must pass and shows how
// long they may take.
func buildSuites(ctx context.Context, work string, overlay map[string][]byte, names string) ([]suite, error) {
	list, err := writeOverlay(work, overlay)
	if err != nil {
		return nil, err
	}
	suites := allSuites()
	chosen := strings.Split(names, ",")
	suites = slices.DeleteFunc(suites, func(s suite) bool {
		return names == "" && s.name == connect || names != "" && !slices.Contains(chosen, s.name)
	})
	binaries := map[string]string{}
	for i := range suites {
		one := &suites[i]
		if binaries[one.folder] == "" {
			binary := filepath.Join(work, strconv.Itoa(i)+".test")
			build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", list, "-o", binary)
			build.Args = append(build.Args, "./"+one.folder)
			if output, err := build.CombinedOutput(); err != nil {
				return nil, fmt.Errorf("build the tests of %s: %w\n%s", one.folder, err, output)
			}
			binaries[one.folder] = binary
		}
		one.binary = binaries[one.folder]
		const first, least, times = 10 * time.Minute, 15 * time.Second, 4
		one.timeout = first
		began := time.Now()
		if output, err := one.run(ctx, -1); err != nil {
			return nil, fmt.Errorf("tests %q fail without a mutant: %w\n%s", one.name, err, output)
		}
		one.timeout = least + times*time.Since(began)
		fmt.Printf("tests %q pass in %.1f s\n", one.name, time.Since(began).Seconds())
	}
	return suites, nil
}

func writeOverlay(work string, overlay map[string][]byte) (string, error) {
	replace := map[string]string{}
	for original, content := range overlay {
		copied := filepath.Join(work, strconv.Itoa(len(replace))+".go")
		if err := os.WriteFile(copied, content, 0o600); err != nil {
			return "", fmt.Errorf("write a mutated source: %w", err)
		}
		replace[original] = copied
	}
	encoded, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("encode the overlay: %w", err)
	}
	list := filepath.Join(work, "overlay.json")
	if err := os.WriteFile(list, encoded, 0o600); err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	return list, nil
}

func (s *suite) run(ctx context.Context, number int) ([]byte, error) {
	// The tests' own timeout prints all goroutines; a little more time lets it do so.
	const grace = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, s.timeout+grace)
	defer cancel()
	command := exec.CommandContext(ctx, s.binary, "-test.failfast", "-test.timeout="+s.timeout.String())
	command.Args = append(command.Args, s.filters...)
	command.Dir = s.folder
	command.Env = append(os.Environ(), variable+"="+strconv.Itoa(number))
	output, err := command.CombinedOutput()
	if err != nil {
		return output, fmt.Errorf("run tests: %w", err)
	}
	return output, nil
}

// firstFailing names the suite, and the test if it says so, that notices the mutant; "" if none does.
func firstFailing(ctx context.Context, suites []suite, one *mutant) string {
	for i := range suites {
		if !suites[i].asks(one) {
			continue
		}
		output, err := suites[i].run(ctx, one.number)
		if err == nil {
			continue
		}
		if _, ended := errors.AsType[*exec.ExitError](err); !ended {
			return suites[i].name + ": " + err.Error()
		}
		for line := range strings.Lines(string(output)) {
			if test, found := strings.CutPrefix(line, "--- FAIL: "); found {
				return suites[i].name + ": " + strings.TrimSpace(test)
			}
			if strings.HasPrefix(line, "panic: ") {
				return suites[i].name + ": " + strings.TrimSpace(line)
			}
		}
		return suites[i].name
	}
	return ""
}
