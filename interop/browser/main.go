// Command browser calls the greeter from a page in headless Chromium, by Connect and gRPC-Web, through CORS. It
// prints a line for each call with what the page's script saw, and then how many were as they should be:
//
//	make browser
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	// The pages have this long for all their calls.
	pageTimeout = 60 * time.Second
	stopTimeout = 5 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failed, err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
	}
	if err != nil || failed > 0 {
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) (failed int, err error) {
	program, modules := os.Getenv("GRPCAUTH_CHROMIUM"), os.Getenv("GRPCAUTH_BROWSER_MODULES")
	if program == "" || modules == "" {
		return 0, errors.New("GRPCAUTH_CHROMIUM and GRPCAUTH_BROWSER_MODULES are not both set: " +
			"run `make browser`, which installs the browser and sets them")
	}
	all := allDoors()
	seen, err := visit(ctx, program, modules, all)
	if err != nil {
		return 0, err
	}
	r := &report{out: out}
	for _, d := range all {
		r.door(d, seen)
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", r.passed, r.failed) //nolint:errcheck // standard output
	return r.failed, nil
}

// visit opens the page from two origins, of which only the first may call, and returns what it saw at the doors.
func visit(ctx context.Context, program, modules string, all []*door) (seen []sighting, err error) {
	ctx, cancel := context.WithTimeout(ctx, pageTimeout)
	defer cancel()
	ours, err := newSite(ctx)
	if err != nil {
		return nil, err
	}
	strangers, err := newSite(ctx)
	if err != nil {
		return nil, err
	}
	ours.plan.Next = strangers.origin
	for _, d := range all {
		url, err := d.open(ctx, ours.origin)
		if err != nil {
			return nil, err
		}
		caller := ours
		if d.stranger {
			caller = strangers
		}
		caller.plan.Doors = append(caller.plan.Doors, address{d.name, url})
	}
	sites := []*site{ours, strangers}
	for _, s := range sites {
		if err := s.serve(ctx, modules); err != nil {
			return nil, err
		}
	}
	browser, err := startChromium(ctx, program, ours.origin)
	if err != nil {
		return nil, err
	}
	for _, s := range sites {
		select {
		case one := <-s.seen:
			seen = append(seen, one...)
		case <-browser.ended:
			return nil, fmt.Errorf("no report of a page, Chromium ended: %s", browser.stop())
		case <-ctx.Done():
			return nil, fmt.Errorf("no report of a page: %w; Chromium said: %s", ctx.Err(), browser.stop())
		}
	}
	browser.stop()
	return seen, nil
}
