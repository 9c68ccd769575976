package property

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

// Tally counts the calls of a check.
type Tally struct {
	Passed  int // with what the client supplied, or with metadata that still satisfies the rule
	Refused int // by the server
	Local   int // failed in the client, before anything was sent
	Others  int // of services without rules
}

// Add adds another tally.
func (t *Tally) Add(other Tally) {
	t.Passed += other.Passed
	t.Refused += other.Refused
	t.Local += other.Local
	t.Others += other.Others
}

// String is for logs.
func (t *Tally) String() string {
	return fmt.Sprintf("%d calls: %d passed, %d were refused, %d failed in the client, "+
		"%d were of services without rules",
		t.Passed+t.Refused+t.Local+t.Others, t.Passed, t.Refused, t.Local, t.Others)
}

// Check makes every kind of call of every method: with all that the rules demand, through the client's
// interceptor, and with metadata that was tampered with, past it.
func Check(t *testing.T, set *plan.Set, ends []Ends) Tally {
	t.Helper()
	w := newWorld(t, set, ends)
	var tally Tally
	for i := range ends {
		service := ends[i].Service
		for j := range service.Methods {
			c := &checker{T: t, world: w, service: service, method: &service.Methods[j], tally: &tally}
			c.supplies()
			c.tampers()
			if t.Failed() {
				return tally
			}
		}
	}
	return tally
}

// checker checks one method.
type checker struct {
	*testing.T
	*world

	service *plan.Service
	method  *plan.Method
	tally   *Tally
}

// failf says where. One mistake makes most calls fail: the first few of a set say enough.
func (c *checker) failf(what, format string, arguments ...any) {
	c.Helper()
	const enough = 5
	if c.failures.Add(1) > enough {
		return // the test has failed already
	}
	c.Errorf("%s: %s: %s", c.method.Name, what, fmt.Sprintf(format, arguments...))
}

// supplies calls with every selection of credentials that makes a difference.
func (c *checker) supplies() {
	for alternative := range max(1, len(c.method.AnyOf)) {
		for _, optional := range []bool{true, false} {
			has := plan.Supply{Alternative: alternative, Optional: optional}
			c.supply(has, nil)
			for _, header := range c.method.All() {
				if header.Check != plan.Equals {
					has.Without = header.Name
					c.supply(has, nil)
				}
			}
		}
	}
	c.supply(plan.Supply{Optional: true}, c.method.All())
}

// supply makes a call through the client's interceptor, and one of a service that has no rules. The caller puts
// values of its own under the names of the headers in own.
func (c *checker) supply(has plan.Supply, own []*plan.Header) {
	what := fmt.Sprintf("supplied %+v", has)
	ctx := context.WithValue(c.Context(), supplyKey{}, has)
	if len(own) > 0 {
		what = "supplied beside the caller's own"
		callers := metadata.MD{}
		for _, header := range own {
			callers.Append(header.Name, "the caller's own")
		}
		ctx = metadata.NewOutgoingContext(ctx, callers)
	}
	sent, ok := c.method.Sent(c.service.Name, has)
	if c.method.Access == plan.Guarded {
		sent, ok = map[string]string{}, true
	}
	seen, err := c.call(ctx, c.supplied, c.method)
	switch {
	case !ok:
		c.tally.Local++
		if status.Code(err) != codes.Unauthenticated || seen != nil {
			c.failf(what, "want a failure in the client; got %v, and the server saw %+v", err, seen)
		}
	default:
		md := map[string][]string{}
		for name, value := range sent {
			md[name] = []string{value}
		}
		verdict, path := c.method.Judge(c.service.Name, md)
		if verdict != plan.Passes {
			c.failf(what, "the ends disagree: the client sends %q, and the server %s it", sent, verdict)
		}
		c.passes(what, err, seen, md, path)
	}
	c.other(ctx)
}

// passes checks a call that must have passed.
func (c *checker) passes(what string, err error, seen *arrival, md metadata.MD, path []plan.Header) {
	c.Helper()
	c.tally.Passed++
	if err != nil || seen == nil || seen.ran != 1 {
		c.failf(what, "want it to pass; got %v; the server saw %+v", err, seen)
		return
	}
	if !maps.EqualFunc(seen.md, md, slices.Equal) {
		c.failf(what, "%q arrived, want %q", seen.md, md)
	}
	values := map[string]string{}
	var who trail
	for _, header := range path {
		switch header.Check {
		case plan.In, plan.Present:
			values[header.Name] = md[header.Name][0]
		case plan.Bearer, plan.Basic, plan.Verify:
			who = append(who, header.Slot())
		case plan.Equals:
		}
	}
	if !maps.Equal(seen.values, values) {
		c.failf(what, "the handler reads %q, want %q", seen.values, values)
	}
	if !slices.Equal(seen.trail, who) {
		c.failf(what, "the handler sees the principal of %+v, want %+v", seen.trail, who)
	}
}

// other calls a service without rules on the connection that supplies what others need.
func (c *checker) other(ctx context.Context) {
	c.Helper()
	unruled := append(slices.Clone(c.set.Unruled), *c.unrelated())
	service := unruled[c.tally.Others%len(unruled)]
	method := service.Methods[c.tally.Others/len(unruled)%len(service.Methods)]
	c.tally.Others++
	seen, err := c.call(ctx, c.supplied, &method)
	own, _ := metadata.FromOutgoingContext(ctx)
	if err != nil || seen == nil || seen.ran != 1 || !maps.EqualFunc(seen.md, own, slices.Equal) {
		c.failf("another service on the connection", "%s: %v; the server saw %+v", method.Name, err, seen)
	}
}

// health calls the health service on the connection that supplies what others need.
func (c *checker) health(ctx context.Context, id string) {
	c.Helper()
	c.tally.Others++
	_, err := healthv1.NewHealthClient(c.supplied).Check(
		metadata.AppendToOutgoingContext(ctx, callID, id), &healthv1.HealthCheckRequest{})
	if seen := c.arrived(id); err != nil || seen == nil || len(seen.md) > 0 {
		c.failf("health on the same connection", "%v; the server saw %+v", err, seen)
	}
}
