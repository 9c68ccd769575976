package vectors

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

var (
	threatID = regexp.MustCompile(`^T[1-9][0-9]?$`)
	reasons  = []grpcauth.Reason{
		grpcauth.Missing, grpcauth.Repeated, grpcauth.Malformed, grpcauth.Refused,
		grpcauth.ScopeMissing, grpcauth.VerifierFailed,
	}
)

func (f *File) checkCase(c *Case, used map[string]bool) error {
	rule := f.Rules[c.Rule]
	switch {
	case c.Name != "" && c.Invalid != "":
		return f.checkInvalid(c, used)
	case c.Name == "" || rule == nil:
		return fmt.Errorf("has no name, or no known rule (%q): %w", c.Rule, f.findings[c.Rule])
	case (c.Allowed == nil) == (c.Refused == nil):
		return errors.New("must be allowed or refused")
	case !slices.Contains([]string{ByClient, ByWire, ByInProcess}, c.By) || (c.By != ByClient) != (c.Why != ""):
		return errors.New("says not how it is sent, or why not by a client")
	case c.LastsSeconds != 0 && c.By != ByInProcess:
		return errors.New("lasts so long that a network would have a say")
	}
	if err := errors.Join(c.checkThreats(), c.checkTransports()); err != nil {
		return err
	}
	if c.By != ByWire {
		for _, pair := range c.Send {
			if _, err := pair.Unmarked(); err != nil || pair.Key != strings.ToLower(pair.Key) {
				return fmt.Errorf("key %q: %w", pair.Key, err)
			}
		}
	}
	for _, at := range []*Elsewhere{c.AtConnect, c.AtGateway} {
		if at == nil {
			continue
		}
		if err := at.check(c, rule); err != nil {
			return err
		}
	}
	used[c.Rule] = true
	for _, asked := range c.Asked {
		used[asked.slot+": "+string(asked.credential)] = true
		if asked.credential != "" {
			used[asked.slot+": *"] = true
		}
	}
	if c.Refused == nil {
		for name := range c.Allowed.Values {
			if !slices.ContainsFunc(rule.all(), func(h headerInForce) bool { return h.Name == name && h.valued() }) {
				return fmt.Errorf("the rule has no value %q for the handler", name)
			}
		}
		return nil
	}
	return c.Refused.check(rule)
}

func (r *refusedCall) check(rule *ruleInForce) error {
	known := slices.ContainsFunc(reasons, func(reason grpcauth.Reason) bool { return reason.String() == r.Reason })
	names := slices.ContainsFunc(rule.all(), func(h headerInForce) bool { return h.Name == r.Header })
	if r.ByTransport {
		known, names = r.Reason == "", r.Header == ""
	}
	if !known || !names {
		return fmt.Errorf("reason %q or header %q is unknown", r.Reason, r.Header)
	}
	return nil
}

// transports are what a case may say that it cannot travel over.
var transports = []string{"HTTP/1", "gRPC-Web over HTTP/1", "grpc-gateway"}

func (c *Case) checkTransports() error {
	for transport, why := range c.NotOver {
		if !slices.Contains(transports, transport) || why == "" {
			return fmt.Errorf("says not why it does not travel over %q, or that is no transport", transport)
		}
	}
	return nil
}

// check is about a door's own verdict, which is never that a call passes.
func (e *Elsewhere) check(c *Case, rule *ruleInForce) error {
	if e.Why == "" || e.Refused == nil {
		return errors.New("says not what is different at a door, and why; only a refusal may differ")
	}
	if c.By == ByInProcess {
		return errors.New("states what a door does about a call that no transport carries")
	}
	return e.Refused.check(rule)
}

func (c *Case) checkThreats() error {
	for _, threat := range c.Threats {
		if !threatID.MatchString(threat) {
			return fmt.Errorf("%q is no threat", threat)
		}
	}
	return nil
}

// checkInvalid is checkCase for one that makes no call, because its rule does not generate.
func (f *File) checkInvalid(c *Case, used map[string]bool) error {
	switch {
	case f.findings[c.Rule] == nil:
		return fmt.Errorf("the levels %q are unknown, or resolve", c.Rule)
	case c.Allowed != nil || c.Refused != nil || c.Send != nil || c.Asked != nil || c.By != "" || c.LastsSeconds != 0:
		return errors.New("makes a call, although its rule does not generate")
	case c.NotOver != nil || c.AtConnect != nil || c.AtGateway != nil:
		return errors.New("speaks of doors, although its rule does not generate")
	}
	used[c.Rule] = true
	return c.checkThreats()
}
