package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	bankv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/bank/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// whoMayCallWhat shows every kind of credential that bank.proto asks for.
func whoMayCallWhat(s *story, w *world) error {
	c := &cast{world: w, ctx: s.ctx}
	token := c.session(w.provider, bankingApp, readScope, payScope)
	anyone := c.visitor(bankv1.BankCredentials{})
	customer := c.customer(token)
	elsewhere := c.visitor(bankv1.BankCredentials{XTenantId: grpcauth.Static(otherTenant), AuthorizationBearer: token})
	nowhere := c.visitor(bankv1.BankCredentials{AuthorizationBearer: token})
	stranger := c.stranger()
	bookkeeper, guesser := c.partner(w.apiKey), c.partner(grpcauth.NewSecret("a guess"))
	oscar, mistaken := c.operator(operator, w.password), c.operator(operator, grpcauth.NewSecret("a mistake"))
	if c.err != nil {
		return c.err
	}
	s.chapter("Who may call what")
	s.tell(
		scene{"anyone asks for the opening hours", anyone.openingHours, codes.OK, allowed},
		scene{"anyone asks for offers", anyone.offers, codes.OK, allowed},
		scene{"Ada asks for offers, and the bank knows her", customer.offers, codes.OK, allowed},
		scene{"an operator deposits money for Ada", oscar.deposit, codes.OK, allowed},
		scene{"an operator with a wrong password", mistaken.deposit, codes.Unauthenticated, "refused authorization"},
		scene{"Ada reads her balance, with a token", customer.balance, codes.OK, allowed},
		scene{"her bookkeeper reads it, with an API key", bookkeeper.balance, codes.OK, allowed},
		scene{"a bookkeeper with a wrong API key", guesser.balance, codes.Unauthenticated, "refused x-api-key"},
		scene{"Ada names a tenant that is not hers", elsewhere.transfer, codes.PermissionDenied, allowed},
		scene{"a stranger without any credential", stranger.transfer, codes.Unauthenticated, "missing x-tenant-id"},
		scene{"Ada's client has no tenant to name: nothing is sent", nowhere.transfer, codes.Unauthenticated, notAsked},
	)
	return nil
}

// whatIsWrong shows that a token counts only if everything about it is right.
func whatIsWrong(s *story, w *world) error {
	c := &cast{world: w, ctx: s.ctx}
	stale := c.held(w.provider, strictKiosk, readScope, payScope)
	staleFrom := time.Now().Add(tinyLife)
	stranger := c.stranger()
	foreign := c.customer(c.session(w.foreign, bankingApp, readScope, payScope))
	newsletter := c.customer(c.session(w.provider, newsletterApp, readScope, payScope))
	late := c.customer(stale)
	lateOffers := c.visitor(bankv1.BankCredentials{AuthorizationBearer: stale})
	limited := c.customer(c.session(w.provider, bankingApp, readScope))
	right := c.customer(c.session(w.provider, bankingApp, readScope, payScope))
	if err := errors.Join(c.err, waitUntil(s.ctx, staleFrom)); err != nil {
		return err
	}
	noToken := func(ctx context.Context) (string, error) {
		return stranger.transfer(metadata.AppendToOutgoingContext(ctx, "x-tenant-id", strconv.FormatInt(tenant, 10)))
	}
	s.chapter("What is wrong with a token")
	s.tell(
		scene{"no token", noToken, codes.Unauthenticated, "missing authorization"},
		scene{"a foreign issuer", foreign.transfer, codes.Unauthenticated, "refused authorization: failed to verify"},
		scene{"a wrong audience", newsletter.transfer, codes.Unauthenticated, "refused authorization: oidc: expected"},
		scene{"expired", late.transfer, codes.Unauthenticated, "refused authorization: oidc: token is expired"},
		scene{"expired, where a token is optional", lateOffers.offers, codes.Unauthenticated, "oidc: token is expired"},
		scene{"a scope is missing", limited.transfer, codes.PermissionDenied, "scope missing authorization"},
		scene{"the scope suffices for less", limited.balance, codes.OK, allowed},
		scene{"the right token", right.transfer, codes.OK, allowed},
	)
	return nil
}

// rotation shows a signing key that is replaced, and what becomes of a stream that is open.
func rotation(s *story, w *world) error {
	c := &cast{world: w, ctx: s.ctx}
	began := time.Now()
	old := c.customer(c.held(w.provider, kiosk, readScope, payScope))
	if c.err != nil {
		return c.err
	}
	streaming, cancel := context.WithTimeout(s.ctx, callTimeout)
	defer cancel()
	next := old.watch(streaming)
	s.chapter("The provider rotates its signing key")
	s.tell(scene{"a stream is open", next, codes.OK, allowed})

	if err := w.provider.Rotate(); err != nil {
		return err
	}
	renewed := c.customer(c.session(w.provider, bankingApp, readScope, payScope))
	if c.err != nil {
		return c.err
	}
	s.tell(
		scene{"a new call, under the new key", renewed.transfer, codes.OK, allowed},
		scene{"a new call, under the withdrawn key", old.transfer, codes.Unauthenticated, "failed to verify"},
		scene{"the open stream goes on", next, codes.OK, notAsked},
		scene{"until its token expires", next, codes.Unauthenticated, notAsked},
	)
	// A token's times are in whole seconds, so it can expire one early. Late is what a busy machine makes of it.
	const early, late = time.Second, 3 * time.Second
	if lived := time.Since(began); lived < shortLife-early || lived > shortLife+late {
		s.failf("the stream ended after %v, although its token lives for %v", lived, shortLife)
	}
	return nil
}

// outage shows a provider that goes down and comes back. With its keys at hand the bank does not notice, so
// one token here is signed by a key that the bank has not fetched yet, and one bank starts in the outage.
func outage(s *story, w *world) error {
	c := &cast{world: w, ctx: s.ctx}
	known := c.customer(c.held(w.provider, bankingApp, readScope, payScope))
	if c.err != nil {
		return c.err
	}
	s.chapter("The provider goes down")
	s.tell(scene{"before", known.balance, codes.OK, allowed})

	if err := w.provider.Rotate(); err != nil {
		return err
	}
	unknownToken := c.held(w.provider, bankingApp, readScope, payScope)
	unknown := c.customer(unknownToken)
	locked := c.customer(c.session(w.provider, bankingApp, readScope, payScope))
	if err := errors.Join(c.err, w.provider.Down()); err != nil {
		return err
	}
	second, err := w.startBank(s.ctx)
	if err != nil {
		return err
	}
	early := c.visitorOf(second, bankv1.BankCredentials{
		XTenantId: grpcauth.Static(tenant), AuthorizationBearer: unknownToken,
	})
	if c.err != nil {
		return c.err
	}
	const down = "the OpenID provider does not answer"
	s.tell(
		scene{"down: a token under a key that the bank has fetched", known.balance, codes.OK, allowed},
		scene{"down: a token under a key that it has not", unknown.balance, codes.Unavailable, down},
		scene{"down: a bank that has just started", early.balance, codes.Unavailable, down},
		scene{"down: a client that needs a token: nothing is sent", locked.balance, codes.Unavailable, notAsked},
	)
	if err := w.provider.Up(s.ctx); err != nil {
		return err
	}
	s.tell(
		scene{"back: the key is fetched", unknown.balance, codes.OK, allowed},
		scene{"back: the bank that had just started", early.balance, codes.OK, allowed},
		scene{"back: the client has its token", locked.balance, codes.OK, allowed},
	)
	return nil
}

func waitUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // says all there is to say
	}
}
