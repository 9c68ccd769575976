package property

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

// CheckTogether calls methods of all services at the same time on one connection, with health and a service
// without rules between them: each gets its own headers and no others.
func CheckTogether(t *testing.T, set *plan.Set, ends []Ends, calls int) Tally {
	t.Helper()
	w := newWorld(t, set, ends)
	const callers = 4
	tallies := make([]Tally, callers)
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(set.Seed, uint64(i))) //nolint:gosec // tests repeat
			for j := range calls {
				service := ends[random.IntN(len(ends))].Service
				method := &service.Methods[random.IntN(len(service.Methods))]
				c := &checker{T: t, world: w, service: service, method: method, tally: &tallies[i]}
				has := plan.Supply{Alternative: random.IntN(max(1, len(method.AnyOf))), Optional: j%2 == 0}
				c.supply(has, nil)
				c.health(context.WithValue(t.Context(), supplyKey{}, has), fmt.Sprintf("health %d.%d", i, j))
			}
		})
	}
	group.Wait()
	var total Tally
	for tally := range slices.Values(tallies) {
		total.Add(tally)
	}
	return total
}
