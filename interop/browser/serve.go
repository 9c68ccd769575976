package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
)

// listen opens a free loopback port until the context ends.
func listen(ctx context.Context) (listener net.Listener, origin string, err error) {
	listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("listen on a loopback port: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = listener.Close() })
	return listener, "http://" + listener.Addr().String(), nil
}

// serve serves until the context ends.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: pageTimeout}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go server.Serve(listener) //nolint:errcheck // a server that does not serve fails every call
}

// serveHTTP2 serves on another such port, over TLS and by HTTP/2 alone.
func serveHTTP2(ctx context.Context, handler http.Handler) (origin string) {
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.Config.Protocols = &http.Protocols{}
	server.Config.Protocols.SetHTTP2(true)
	server.StartTLS()
	context.AfterFunc(ctx, server.Close)
	return server.URL
}
