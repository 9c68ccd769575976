// Command guards removes each guard of docs/threat-model.md in a copy of the module, and checks that a test of
// the guard's row fails.
//
//	go run ./internal/cmd/guards -write                # all of them; rewrites docs/threat-guards.txt
//	go run ./internal/cmd/guards -for 50s -seed a1b2   # as many as fit, in an order that the seed decides
//
// guards.txt says how each is removed. The tests of a row are those that begin with its id: TestT11_… for T11.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	guardsFile  = "internal/cmd/guards/guards.txt"
	resultsFile = "docs/threat-guards.txt"
)

func main() {
	duration := flag.Duration("for", 0, "begin with no further guard after this time; 0 tries all")
	seed := flag.String("seed", "", "decides the order in which guards are tried")
	only := flag.String("only", "", "try the guards of these rows, such as T11,T12; -write keeps what it had of others")
	workers := flag.Int("workers", 2, "so many guards are tried at a time, each in a copy of its own")
	write := flag.Bool("write", false, "rewrite "+resultsFile)
	flag.Parse()
	if err := run(*duration, *seed, *only, *workers, *write); err != nil {
		fmt.Fprintln(os.Stderr, "guards:", err)
		os.Exit(1)
	}
}

func run(duration time.Duration, seed, only string, workers int, write bool) error {
	content, err := os.ReadFile(guardsFile)
	if err != nil {
		return fmt.Errorf("read the guards: %w", err)
	}
	guards, err := parse(string(content))
	if err != nil {
		return err
	}
	chosen := slices.Clone(guards)
	if only != "" {
		rows := strings.Split(only, ",")
		chosen = slices.DeleteFunc(chosen, func(g *guard) bool { return !slices.Contains(rows, g.row) })
	}
	if seed != "" {
		shuffle(chosen, seed)
	}
	if err := try(context.Background(), chosen, duration, workers); err != nil {
		return err
	}
	var wrong []error
	counted := map[string]int{}
	for _, one := range chosen {
		counted[one.state()]++
		if one.problem != "" {
			wrong = append(wrong, fmt.Errorf("%s: %s", one, one.problem))
		}
	}
	fmt.Printf("%d guards removed: %d noticed, %d not; %d not tried, %d without a test yet\n",
		counted[noticed]+counted[unnoticed], counted[noticed], counted[unnoticed], counted[untried], counted[untested])
	if write {
		if earlier, err := os.ReadFile(resultsFile); err == nil {
			remember(guards, string(earlier))
		}
		wrong = append(wrong, os.WriteFile(resultsFile, report(guards), 0o644))
	}
	return errors.Join(wrong...)
}

// shuffle orders the guards by a hash, so that each commit tries others.
func shuffle(guards []*guard, seed string) {
	rank := func(g *guard) uint64 {
		hash := fnv.New64a()
		_, _ = hash.Write([]byte(seed + g.String())) // a hash does not fail
		return hash.Sum64()
	}
	slices.SortFunc(guards, func(a, b *guard) int {
		if rank(a) < rank(b) {
			return -1
		}
		return 1
	})
}

// try removes the guards, each worker in a copy of the module.
func try(ctx context.Context, chosen []*guard, duration time.Duration, workers int) error {
	deadline := time.Now().Add(duration)
	copies := make([]string, workers)
	for i := range copies {
		made, err := copyModule(ctx)
		if made != "" {
			defer os.RemoveAll(made) //nolint:errcheck,gocritic // at the end, and what stays is in the folder for it
		}
		if err != nil {
			return err
		}
		copies[i] = made
	}
	queue := make(chan *guard)
	var group sync.WaitGroup
	for _, folder := range copies {
		group.Go(func() {
			for one := range queue {
				one.remove(ctx, folder)
				fmt.Printf("%s: %s\n", one, one.outcome())
			}
		})
	}
	for _, one := range chosen {
		if duration > 0 && time.Now().After(deadline) {
			break
		}
		queue <- one
	}
	close(queue)
	group.Wait()
	return nil
}
