package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Preflights as Chromium makes none are noticed.
func TestPreflightsThatAreWrong(t *testing.T) {
	t.Parallel()
	const origin, path = "http://127.0.0.1:1", "/greeter.v1.Greeter/Ping"
	for name, c := range map[string]struct {
		header http.Header
		allow  string
		want   string
		result string
	}{
		"with a token":       {http.Header{"Authorization": {"42"}}, origin, allowed, "the one for " + path + " has"},
		"with a cookie":      {http.Header{"Cookie": {"a=b"}}, origin, mixed, "the one for " + path + " has"},
		"refused":            {nil, "", allowed, "the one for " + path + " was refused"},
		"allowed":            {nil, origin, refused, "the one for " + path + " was allowed"},
		"not for every path": {nil, origin, allowed, "there were some for 1 methods, want 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p preflights
			request := httptest.NewRequest(http.MethodOptions, path, http.NoBody)
			request.Header = c.header
			p.watch(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if c.allow != "" {
					w.Header().Set("Access-Control-Allow-Origin", c.allow)
				}
			})).ServeHTTP(httptest.NewRecorder(), request)
			if got := p.complaint(c.want); got != c.result {
				t.Errorf("got %q, want %q", got, c.result)
			}
		})
	}
}
