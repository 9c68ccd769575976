// Command mutate changes the code that decides about calls, one small fault at a time, and says which faults
// no test notices.
//
//	go run ./internal/cmd/mutate                       # all of them
//	go run ./internal/cmd/mutate -for 50s -seed a1b2   # as many as fit, in an order that the seed decides
//
// A fault that survives is either killed by a new test or explained in survivors.txt. One that is neither fails
// the run, and so does, in a run over all, an explanation of a fault that a test notices after all.
//
// All faults are compiled into the packages at once, each behind a number, and a test binary is told by an
// environment variable which one is in force: so the tests are built once and not a thousand times. The
// instrumented sources go to the compiler with -overlay; the tree is not touched. In reading order:
//
//	source.go     the packages with their types
//	find.go       what can be changed
//	weave.go      the changed text
//	suites.go     which tests are asked, in which order
//	survivors.go  the list of faults that nothing can notice
//
// Gremlins, the maintained tester, builds, and knows neither faults in constants, returns and statements, nor
// tests of another package than the one that is changed, nor a list of explained survivors.
package main

import (
	"context"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// targets are the files that decide about a call or guard a secret.
var targets = map[string][]string{
	module + "/grpcauth/internal/rules": {
		"compile.go", "credential.go", "evaluator.go", "grants.go", "incoming.go", "read.go", "refusal.go", "supply.go",
		"values.go", "verifier.go",
	},
	module + "/grpcauth":           {"credentials.go", "passing.go", "secretset.go", "stream.go"},
	module + "/grpcauth/challenge": {"challenge.go"},
}

// doorTargets are tried instead with -suites connect. Their tests wait for credentials to expire, which takes too
// long for samples, and what survives there is not explained yet.
var doorTargets = map[string][]string{
	module + "/grpcauth": {"door.go"},
	module + "/grpcauth/connectauth": {
		"client.go", "clientconn.go", "expiry.go", "httpclient.go", "incoming.go", "interceptor.go", "middleware.go",
		"refuse.go", "response.go", "stream.go", "timeout.go",
	},
}

const (
	module        = "github.com/grpcauth/protoc-gen-go-grpcauth"
	survivorsFile = "internal/cmd/mutate/survivors.txt"
)

func main() {
	duration := flag.Duration("for", 0, "stop after this time; 0 runs all")
	seed := flag.String("seed", "", "decides the order in which faults are tried")
	only := flag.String("only", "", "try faults whose description holds this text")
	list := flag.Bool("list", false, "print the faults and stop")
	workers := flag.Int("workers", 4, "so many mutants are tried at a time: most of a test's time is spent waiting")
	names := flag.String("suites", "", "run only these tests: rules, vectors, quick, client, expiry, others, all, "+
		"challenge; connect has targets of its own")
	verbose := flag.Bool("v", false, "print the killed ones, too")
	flag.Parse()
	if err := run(*duration, *seed, *only, *list, *names, *workers, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(duration time.Duration, seed, only string, list bool, names string, workers int, verbose bool) error {
	ctx := context.Background()
	files := targets
	if names == connect {
		files = doorTargets
	}
	mutants, overlay, err := instrument(ctx, files)
	if err != nil {
		return err
	}
	fmt.Printf("%d mutants in %d files\n", len(mutants), len(overlay)-len(files))
	chosen := choose(mutants, seed, only)
	if list {
		for _, one := range chosen {
			fmt.Println(one)
		}
		return nil
	}
	explained, err := readSurvivors(survivorsFile)
	if err != nil {
		return err
	}
	if duration > 0 { // the list is proven by runs over all
		chosen = slices.DeleteFunc(chosen, func(m *mutant) bool { return explained[m.key()] != "" })
	}
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return fmt.Errorf("make a folder for test binaries: %w", err)
	}
	defer os.RemoveAll(work) //nolint:errcheck // it is in the folder for what may stay
	suites, err := buildSuites(ctx, work, overlay, names)
	if err != nil {
		return err
	}
	outcome := try(ctx, chosen, suites, duration, workers, verbose)
	outcome.print(explained)
	return outcome.judge(explained, duration == 0 && only == "" && names == "")
}

// instrument returns all mutants, and the instrumented files by their real paths.
func instrument(ctx context.Context, files map[string][]string) ([]*mutant, map[string][]byte, error) {
	var mutants []*mutant
	overlay := map[string][]byte{}
	for _, importPath := range slices.Sorted(keysOf(files)) {
		loaded, err := load(ctx, importPath)
		if err != nil {
			return nil, nil, err
		}
		for _, name := range files[importPath] {
			found, err := loaded.find(name, len(mutants))
			if err != nil {
				return nil, nil, err
			}
			mutants = append(mutants, found...)
			overlay[filepath.Join(loaded.dir, name)] = weave(loaded.sources[name], found)
		}
		overlay[filepath.Join(loaded.dir, "zz_mutants.go")] = switchboard(path.Base(importPath))
	}
	return mutants, overlay, nil
}

func keysOf(m map[string][]string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for key := range m {
			if !yield(key) {
				return
			}
		}
	}
}

// choose orders the mutants by a hash of the seed and their number, so that each commit tries others.
func choose(mutants []*mutant, seed, only string) []*mutant {
	chosen := slices.Clone(mutants)
	if only != "" {
		chosen = slices.DeleteFunc(chosen, func(m *mutant) bool { return !m.matches(only) })
	}
	if seed != "" {
		rank := func(m *mutant) uint64 {
			hash := fnv.New64a()
			_, _ = hash.Write([]byte(seed + " " + strconv.Itoa(m.number))) // a hash does not fail
			return hash.Sum64()
		}
		slices.SortFunc(chosen, func(a, b *mutant) int {
			if rank(a) < rank(b) {
				return -1
			}
			return 1
		})
	}
	return chosen
}

// try runs the suites for one mutant after the other, several at a time.
func try(
	ctx context.Context, chosen []*mutant, suites []suite, duration time.Duration, workers int, verbose bool,
) *outcome {
	var deadline time.Time
	if duration > 0 {
		deadline = time.Now().Add(duration)
	}
	queue := make(chan *mutant)
	result := &outcome{}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for one := range queue {
				killer := firstFailing(ctx, suites, one)
				result.add(one, killer)
				if verbose || killer == "" {
					fmt.Printf("%s: %s\n", one, map[bool]string{true: "SURVIVES", false: killer}[killer == ""])
				}
			}
		})
	}
	for _, one := range chosen {
		if !deadline.IsZero() && time.Now().After(deadline) {
			break
		}
		queue <- one
	}
	close(queue)
	group.Wait()
	return result
}
