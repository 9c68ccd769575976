package implies

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// calls are drawn for each pair, in each direction.
const calls = 8

// number is that of an environment's variable.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s must be a number, not %q", variable, text)
	}
	return n
}

// forSeeds checks so many seeds on all processors. GRPCAUTH_IMPLIES_PAIRS sets another number,
// GRPCAUTH_IMPLIES_SEED where to begin.
func forSeeds(t *testing.T, usual int, check func(seed uint64, counted *tally)) *tally {
	t.Helper()
	began := time.Now()
	if testing.Short() || raced {
		usual /= 20
	}
	first := uint64(number(t, "GRPCAUTH_IMPLIES_SEED", 1))
	last := first + uint64(number(t, "GRPCAUTH_IMPLIES_PAIRS", usual))
	workers := uint64(runtime.GOMAXPROCS(0))
	var group sync.WaitGroup
	tallies := make([]tally, workers)
	for worker := range workers {
		group.Go(func() {
			for seed := first + worker; seed < last && !t.Failed(); seed += workers {
				check(seed, &tallies[worker])
			}
		})
	}
	group.Wait()
	total := &tally{}
	for _, one := range tallies {
		total.add(one)
	}
	total.seeds = int(last - first)
	t.Logf("%+v in %v", *total, time.Since(began).Round(time.Millisecond))
	return total
}

// tally says how much was really tried.
type tally struct{ seeds, implied, witnesses, calls, admitted, both int }

// few is true if a number of the tally is less than it should be for its seeds. Some seeds say nothing of that.
func (t *tally) few(number, ofHundred int) bool {
	const some = 100
	return t.seeds >= some && number*some < ofHundred*t.seeds
}

func (t *tally) add(other tally) {
	t.implied += other.implied
	t.witnesses += other.witnesses
	t.calls += other.calls
	t.admitted += other.admitted
	t.both += other.both
}

// pair is two rules that have something to do with each other, in most cases.
func pair(t *testing.T, d draw) (a, b *policy.Method, texts func() string) {
	t.Helper()
	ruleA, a := d.valid(t, d.rule)
	ruleB, b := d.valid(t, func() *grpcauthv1.Rule {
		if d.chance(20) {
			return d.rule()
		}
		return d.mutated(ruleA)
	})
	switch d.IntN(100) {
	case 0:
		ruleA, a = nil, nil
	case 1:
		ruleB, b = nil, nil
	}
	texts = func() string { return fmt.Sprintf("a: %s\nb: %s", spelled(ruleA), spelled(ruleB)) }
	return a, b, texts
}

func spelled(rule *grpcauthv1.Rule) string {
	if rule == nil {
		return "no rule"
	}
	text, err := prototext.MarshalOptions{}.Marshal(rule)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// What is implied, no call contradicts; where it is not, there is a call that shows it.
func TestImpliesAgreesWithTheRuntime(t *testing.T) {
	t.Parallel()
	const usual = 10_000 // CI tries more
	total := forSeeds(t, usual, func(seed uint64, counted *tally) {
		d := newDraw(seed)
		a, b, texts := pair(t, d)
		caller := newCaller(d, a, b)
		serverA, serverB := newServer(a), newServer(b)
		there := decide(t, caller, a, b, serverA, serverB, counted)
		back := decide(t, caller, b, a, serverB, serverA, counted)
		if there && back {
			counted.both++
		}
		if t.Failed() {
			t.Logf("GRPCAUTH_IMPLIES_SEED=%d GRPCAUTH_IMPLIES_PAIRS=1 repeats it:\n%s", seed, texts())
		}
	})
	const tenth, half = 10, 50 // of two directions for each pair, and of so many calls for each that is implied
	if total.few(total.implied, tenth) || total.few(total.witnesses, half) || total.few(total.both, tenth) ||
		total.admitted*2 < total.calls {
		t.Error("the rules or the calls are too much alike")
	}
}

// decide asks whether a implies b, and whether the runtime agrees.
func decide(
	t *testing.T, caller *caller, a, b *policy.Method, serverA, serverB *server, counted *tally,
) bool {
	t.Helper()
	if found := policy.Counterexample(a, b); found != nil {
		counted.witnesses++
		shown := call{md: found.Metadata, grants: map[slot][]string{}}
		for _, header := range found.Verified {
			shown.grants[slotOf(header)] = header.Scopes
		}
		if admitted, alsoByB := serverA.admits(shown), serverB.admits(shown); !admitted || alsoByB {
			t.Errorf("a is said not to imply b by %v, which a admits: %v, and b: %v", shown, admitted, alsoByB)
		}
		return false
	}
	counted.implied++
	for range calls {
		drawn := caller.call(a)
		counted.calls++
		if !serverA.admits(drawn) {
			continue
		}
		counted.admitted++
		if !serverB.admits(drawn) {
			t.Errorf("a is said to imply b, but a admits and b refuses %v", drawn)
		}
	}
	return true
}

// A rule implies itself and each way to say it in another order.
func TestImpliesDoesNotGoByOrder(t *testing.T) {
	t.Parallel()
	const usual = 1_000
	forSeeds(t, usual, func(seed uint64, counted *tally) {
		d := newDraw(seed)
		rule, a := d.valid(t, d.rule)
		shuffled := proto.CloneOf(rule)
		d.shuffle(shuffled)
		b, ok := resolve(t, shuffled)
		if !ok {
			t.Errorf("seed %d: %s is valid, %s is not", seed, spelled(rule), spelled(shuffled))
			return
		}
		for _, two := range [][2]*policy.Method{{a, a}, {a, b}, {b, a}} {
			if !policy.Implies(two[0], two[1]) {
				t.Errorf("seed %d: %s and %s differ", seed, spelled(rule), spelled(shuffled))
			}
			counted.implied++
		}
	})
}

// If a implies b and b implies c, then a implies c.
func TestImpliesIsTransitive(t *testing.T) {
	t.Parallel()
	const usual = 2_000
	total := forSeeds(t, usual, func(seed uint64, counted *tally) {
		d := newDraw(seed)
		first, a := d.valid(t, d.rule)
		methods, texts := []*policy.Method{a}, []string{spelled(first)}
		for last := first; len(methods) < 3; {
			next, method := d.valid(t, func() *grpcauthv1.Rule { return d.mutated(last) })
			methods, texts = append(methods, method), append(texts, spelled(next))
			last = next
		}
		for _, order := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			a, b, c := methods[order[0]], methods[order[1]], methods[order[2]]
			if !policy.Implies(a, b) || !policy.Implies(b, c) {
				continue
			}
			counted.implied++
			if !policy.Implies(a, c) {
				t.Errorf("seed %d, %v: not transitive:\n%s", seed, order, strings.Join(texts, "\n"))
			}
		}
	})
	const half = 50
	if total.few(total.implied, half) {
		t.Error("hardly any triple says anything")
	}
}
