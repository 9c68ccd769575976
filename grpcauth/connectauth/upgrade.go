package connectauth

import (
	"net/http"
	"slices"
	"strings"
)

// leavesHTTP1 is true for the preface of HTTP/2 in plaintext, which net/http hands to handlers as a request. Behind the
// middleware somebody could take over the connection with it, and serve all of its calls unchecked.
func leavesHTTP1(r *http.Request) bool { return r.Method == "PRI" }

// refuseHTTP2Inside tells whoever tries such a server out.
func refuseHTTP2Inside(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	http.Error(w, "HTTP/2 is served outside of the middleware, not behind it", http.StatusHTTPVersionNotSupported)
}

// ignoreUpgrade removes the wish for HTTP/2 on the same connection, for the same reason. A server is free not to
// see it.
func ignoreUpgrade(header http.Header) {
	asksFor := func(protocols string) bool { return strings.Contains(strings.ToLower(protocols), "h2c") }
	if slices.ContainsFunc(header["Upgrade"], asksFor) {
		header.Del("Upgrade")
		header.Del("HTTP2-Settings")
	}
}
