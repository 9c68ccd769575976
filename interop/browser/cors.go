package main

import (
	"fmt"
	"net/http"
	"sync"

	connectcors "connectrpc.com/cors"
	"github.com/rs/cors"
)

// forPage lets scripts of a page's origin call, and read refusals.
func forPage(origin string) cors.Options {
	return cors.Options{
		AllowedOrigins: []string{origin}, // an empty list would allow every origin
		AllowedMethods: connectcors.AllowedMethods(),
		AllowedHeaders: append(connectcors.AllowedHeaders(), "authorization"),
		ExposedHeaders: connectcors.ExposedHeaders(),
	}
}

// methods is how many of the greeter's a browser can call.
const methods = 3

// What the preflights of a door are.
const (
	allowed = "allowed"
	refused = "refused"
	mixed   = "allowed or refused"
)

// preflights watches what a browser asks before it calls.
type preflights struct {
	mutex sync.Mutex
	list  []preflight
}

type preflight struct {
	path        string
	credentials bool // the request had some
	answer      string
}

func (p *preflights) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if r.Method != http.MethodOptions {
			return
		}
		one := preflight{
			path:        r.URL.Path,
			credentials: r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "",
			answer:      refused,
		}
		if origin := w.Header().Get("Access-Control-Allow-Origin"); origin != "" {
			one.answer = allowed
		}
		p.mutex.Lock()
		defer p.mutex.Unlock()
		p.list = append(p.list, one)
	})
}

// complaint says what is wrong with the preflights, if anything is.
func (p *preflights) complaint(answer string) string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	asked := map[string]bool{}
	for _, one := range p.list {
		asked[one.path] = true
		switch {
		case one.credentials:
			return "the one for " + one.path + " has"
		case answer != mixed && one.answer != answer:
			return "the one for " + one.path + " was " + one.answer
		}
	}
	if len(asked) != methods {
		return fmt.Sprintf("there were some for %d methods, want %d", len(asked), methods)
	}
	return ""
}
