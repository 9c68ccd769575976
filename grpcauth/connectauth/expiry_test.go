package connectauth_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

const (
	textExpired = "the credential has expired"
	lifetime    = 400 * time.Millisecond
	shortLife   = 45 * time.Millisecond // slow machines take some time to begin a call
)

// expiring is an interceptor whose every credential lives as long.
func expiring(lives time.Duration) *grpcauth.ServerInterceptor {
	rule := headers(authimpl.Header{Name: "authorization", Bearer: true})
	return authimpl.NewServerInterceptor(tableFor(rule), nil, authimpl.VerifyBearer("authorization",
		func(ctx context.Context, _ grpcauth.Call, _ grpcauth.Secret) (context.Context, error) {
			return grpcauth.WithExpiry(grpcauth.WithPrincipal(ctx, account("Ann")), time.Now().Add(lives)), nil
		}))
}

var token = http.Header{"Authorization": {"Bearer t"}}

// A call that ends in time is as without an expiry, principal and all.
func TestCallsThatEndBeforeTheExpiry(t *testing.T) {
	var who account
	var deadline time.Time
	s := &service{handled: func(ctx context.Context) error {
		who, _ = grpcauth.Principal[account](ctx)
		deadline, _ = ctx.Deadline()
		return nil
	}}
	everyCall(t, expiring(patience/2), s, func(t *testing.T, server *served, p protocol, k kind) { // before the call's own
		t.Helper()
		who, deadline = "", time.Time{}
		if err := server.call(t.Context(), p, k, token); err != nil || who != "Ann" || time.Until(deadline) > patience/2 {
			t.Errorf("got %v, principal %q, deadline %v", err, who, deadline)
		}
	})
	own := errors.New("the handler's own")
	s.handled = func(context.Context) error { return connect.NewError(connect.CodeAborted, own) }
	everyCall(t, expiring(time.Hour), s, func(t *testing.T, server *served, p protocol, k kind) {
		t.Helper()
		wantError(t, server.call(t.Context(), p, k, token), connect.CodeAborted, own.Error())
	})
}

// A handler that waits for its context is woken, and the caller is told why, in all protocols.
func TestHandlersThatWaitUntilTheExpiry(t *testing.T) {
	t.Parallel()
	for name, wait := range map[string]func(context.Context) error{
		"returns the context's error": func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		},
		"returns an error of connect's": func(ctx context.Context) error {
			<-ctx.Done()
			return connect.NewError(connect.CodeDeadlineExceeded, ctx.Err())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cause := make(chan error, 1)
			s := &service{handled: func(ctx context.Context) error {
				err := wait(ctx)
				cause <- context.Cause(ctx)
				return err
			}}
			everyCall(t, expiring(shortLife), s, func(t *testing.T, server *served, p protocol, k kind) {
				t.Helper()
				wantError(t, server.call(t.Context(), p, k, token), connect.CodeUnauthenticated, textExpired)
				select {
				case err := <-cause:
					if err == nil || !strings.Contains(err.Error(), textExpired) {
						t.Errorf("the context's cause: %v", err)
					}
				case <-time.After(lifetime): // a machine so slow that the credential expired before the handler ran
				}
			})
		})
	}
}

// The caller's own deadline, if it is earlier, stays what it is.
func TestTheCallersDeadlineBeforeTheExpiry(t *testing.T) {
	s := &service{handled: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	everyCall(t, expiring(time.Hour), s, func(t *testing.T, server *served, p protocol, k kind) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), shortLife/3)
		defer cancel()
		if err := server.call(ctx, p, k, token); connect.CodeOf(err) != connect.CodeDeadlineExceeded {
			t.Errorf("got %v", err)
		}
	})
}

// Only the code of a deadline error counts, and not its words or whose it is.
func TestDeadlineErrorsAtTheExpiry(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]error{
		"connect's": connect.NewError(connect.CodeDeadlineExceeded, errors.New("in its own words")),
		"grpc's":    status.Error(codes.DeadlineExceeded, "in its own words"),
	} {
		for _, install := range installs {
			t.Run(install.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				server := h2c.serve(t, install.handler(expiring(shortLife), &service{handled: func(ctx context.Context) error {
					<-ctx.Done()
					return late
				}}))
				for _, k := range kinds {
					wantError(t, server.call(t.Context(), connectProtocol, k, token), connect.CodeUnauthenticated, textExpired)
				}
			})
		}
	}
}

// A handler that was in a hurry of its own, before the credential expires, says so.
func TestDeadlineErrorsBeforeTheExpiry(t *testing.T) {
	s := &service{handled: func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Microsecond)
		defer cancel()
		<-ctx.Done()
		return ctx.Err()
	}}
	everyCall(t, expiring(patience/2), s, func(t *testing.T, server *served, p protocol, k kind) { // before the call's own
		t.Helper()
		if err := server.call(t.Context(), p, k, token); connect.CodeOf(err) != connect.CodeDeadlineExceeded {
			t.Errorf("got %v", err)
		}
	})
}

// stream is a bidirectional stream that has been opened, and of which one message was received.
func (s *served) stream(t *testing.T, p protocol) *connect.BidiStreamForClient[message, message] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	stream := connect.NewClient[message, message](s.client, s.URL+methodOf(bidi), p.options...).CallBidiStream(ctx)
	stream.RequestHeader().Set("Authorization", "Bearer t")
	if err := stream.Send(&message{}); err != nil {
		t.Fatal(err)
	}
	return stream
}

// A stream whose handler is blocked in Receive ends: before its first answer, and in the middle. The handler's
// Receive returns, and nothing that it does afterwards reaches the caller.
func TestStreamsEndWhenTheCredentialExpires(t *testing.T) {
	t.Parallel()
	for _, answers := range []int{0, 2} {
		for _, install := range installs {
			for _, wire := range []wire{h2, h2c} {
				for _, p := range protocols {
					t.Run(fmt.Sprint(install.name, "/", wire.name, "/", p.name, "/", answers, " answers"), func(t *testing.T) {
						t.Parallel()
						ended := make(chan [3]error, 1)
						s := &service{receive: func(ctx context.Context, receive, send func() error) error {
							if err := receive(); err != nil {
								return err
							}
							for range answers {
								if err := send(); err != nil {
									return err
								}
							}
							blocked := receive()
							select { // the clock tells of the expiry, and the context's timer a little later
							case <-ctx.Done():
							case <-time.After(patience):
							}
							ended <- [3]error{blocked, ctx.Err(), errors.Join(send(), receive())}
							return nil
						}}
						server := wire.serve(t, install.handler(expiring(lifetime), s))
						began := time.Now()
						stream := server.stream(t, p)
						for range answers {
							if _, err := stream.Receive(); err != nil {
								t.Fatal(err)
							}
						}
						_, err := stream.Receive()
						wantError(t, err, connect.CodeUnauthenticated, textExpired)
						if lasted := time.Since(began); lasted < lifetime || lasted > patience/2 {
							t.Errorf("it lasted %s", lasted)
						}
						stream.CloseRequest()
						errs := <-ended
						wantError(t, errs[0], connect.CodeUnauthenticated, textExpired)
						if !errors.Is(errs[1], context.DeadlineExceeded) || connect.CodeOf(errs[2]) != connect.CodeUnauthenticated {
							t.Errorf("the handler's context and what it did afterwards: %v", errs)
						}
					})
				}
			}
		}
	}
}

// A client's stream over HTTP/1.1 ends as well, while the client still holds its request open.
func TestHTTP1StreamsEndWhenTheCredentialExpires(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	handler := connectauth.NewMiddleware(expiring(lifetime))(connect.NewClientStreamHandler(methodOf(clientStream),
		func(_ context.Context, stream *connect.ClientStream[message]) (*connect.Response[message], error) {
			for stream.Receive() {
			}
			ended <- stream.Err()
			return connect.NewResponse(&message{}), nil
		}))
	server := http1.serve(t, handler)
	for _, contentType := range []string{"application/connect+proto", "application/grpc-web+proto"} {
		conn, reader := dialRaw(t, server)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Type: %s\r\n"+
			"Transfer-Encoding: chunked\r\n\r\n5\r\n\x00\x00\x00\x00\x00\r\n", methodOf(clientStream), contentType)
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		answer := string(body) + response.Header.Get("Grpc-Message")
		if err != nil || !strings.Contains(answer, textExpired) || !response.Close {
			t.Errorf("got %q, %v and close %v", answer, err, response.Close)
		}
		wantError(t, <-ended, connect.CodeUnauthenticated, textExpired)
		fmt.Fprint(conn, "0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if more, err := reader.ReadString('\n'); err == nil {
			t.Errorf("the connection goes on with %q", more)
		}
	}
}

// A caller that stops in the middle of a body is told so as well, while the handler still waits for the rest.
func TestHTTP1BodiesThatStopDoNotHideTheExpiry(t *testing.T) {
	t.Parallel()
	server := http1.serve(t, connectauth.NewMiddleware(expiring(lifetime))((&service{}).handler()))
	for contentType, k := range map[string]kind{
		"application/proto": unary, "application/connect+proto": clientStream, "application/grpc-web+proto": unary,
	} {
		conn, reader := dialRaw(t, server)
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Type: %s\r\n"+
			"Content-Length: 1000\r\n\r\n\x00\x00", methodOf(k), contentType)
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Errorf("%s: %v", contentType, err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if answer := string(body) + response.Header.Get("Grpc-Message"); err != nil || !strings.Contains(answer, textExpired) {
			t.Errorf("%s: got %q and %v", contentType, answer, err)
		}
		fmt.Fprint(conn, strings.Repeat("x", 998)+"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if more, err := reader.ReadString('\n'); err == nil {
			t.Errorf("%s: the connection goes on with %q", contentType, more)
		}
	}
}

// A handler that pays no attention is left behind. Nothing that it does afterwards reaches anybody.
func TestHandlersThatGoOnAfterTheExpiry(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		for _, k := range []kind{unary, serverStream, clientStream, bidi} {
			if install.name == "interceptor" && k == unary {
				continue // it is waited for, as by grpc
			}
			for _, p := range protocols {
				t.Run(install.name+"/"+p.name+"/"+string(k), func(t *testing.T) {
					t.Parallel()
					release, ended := make(chan struct{}), make(chan struct{})
					s := &service{handled: func(context.Context) error {
						<-release
						close(ended)
						return connect.NewError(connect.CodeAborted, errors.New("too late"))
					}}
					server := h2.serve(t, install.handler(expiring(lifetime), s))
					wantError(t, server.call(t.Context(), p, k, token), connect.CodeUnauthenticated, textExpired)
					close(release)
					<-ended
				})
			}
		}
	}
}

// A unary handler that the interceptor waits for, and that has an answer of its own after all, gives it.
func TestUnaryHandlersThatAnswerAfterTheExpiry(t *testing.T) {
	t.Parallel()
	s := &service{handled: func(ctx context.Context) error {
		<-ctx.Done()
		return nil
	}}
	server := h2.serve(t, s.handler(connect.WithInterceptors(connectauth.NewInterceptor(expiring(lifetime)))))
	if err := server.call(t.Context(), connectProtocol, unary, token); err != nil {
		t.Error(err)
	}
}

// A panic of a handler reaches the server's own code, from a call with an expiry as from any other.
func TestPanicsOfHandlersWithAnExpiry(t *testing.T) {
	s := &service{handled: func(context.Context) error { panic(http.ErrAbortHandler) }}
	everyCall(t, expiring(time.Hour), s, func(t *testing.T, server *served, p protocol, k kind) {
		t.Helper()
		if err := server.call(t.Context(), p, k, token); err == nil {
			t.Error("the caller took it for a success")
		}
	})
	recovered := make(chan any, 1)
	for name, handler := range map[string]http.Handler{
		"middleware": connectauth.NewMiddleware(expiring(time.Hour))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			panic("canary")
		})),
		"interceptor": (&service{handled: func(context.Context) error { panic("canary") }}).
			handler(connect.WithInterceptors(connectauth.NewInterceptor(expiring(time.Hour)))),
	} {
		server := h2.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() { recovered <- recover() }()
			handler.ServeHTTP(w, r)
		}))
		server.call(t.Context(), grpcProtocol, bidi, token)
		if value := <-recovered; value != "canary" {
			t.Errorf("%s: recovered %v", name, value)
		}
	}
}

// A handler that ends its goroutine ends its call with it, as without an expiry, also after it has begun to answer.
func TestHandlersThatEndTheirGoroutine(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.Handler{
		"middleware": connectauth.NewMiddleware(expiring(time.Hour))(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			runtime.Goexit()
		})),
		"middleware, after the answer has begun": connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(
			func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusOK)
				time.Sleep(2 * lifetime)
				runtime.Goexit()
			})),
		"interceptor": (&service{handled: func(context.Context) error {
			runtime.Goexit()
			return nil
		}}).handler(connect.WithInterceptors(connectauth.NewInterceptor(expiring(time.Hour)))),
	} {
		ended := make(chan any, 1)
		server := h2.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				ended <- recover()
				panic(http.ErrAbortHandler) // net/http itself would wait for the goroutine's result
			}()
			handler.ServeHTTP(w, r)
			t.Errorf("%s: ServeHTTP returned as if nothing had happened", name)
		}))
		go server.call(t.Context(), grpcProtocol, bidi, token)
		select {
		case value := <-ended:
			if value != nil {
				t.Errorf("%s: recovered %v", name, value)
			}
		case <-time.After(patience):
			t.Errorf("%s: the call does not end", name)
		}
	}
}

// Responses that no handler of connect's writes keep to the same rule: an answer that has begun is finished, a
// message that has begun is, and nothing else follows.
func TestResponsesAroundTheExpiry(t *testing.T) {
	t.Parallel()
	frame := func(flags byte, payload string) string {
		return string(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(payload)))) + payload
	}
	for name, c := range map[string]struct {
		contentType string
		writes      []string // the second one comes after the expiry
		want        string
		trailer     string
		aborted     bool
	}{
		"a unary answer that has begun": {"application/proto", []string{"abc", "def"}, "abcdef", "", false},
		"a message that has begun": {
			"application/connect+proto",
			[]string{frame(0, "abc")[:6], frame(0, "abc")[6:], frame(0, "more")},
			frame(0, "abc") + frame(2, `{"error":{"code":"unauthenticated","message":"`+textExpired+`"}}`), "", false,
		},
		"a prefix that has begun": {
			"application/grpc-web+proto",
			[]string{frame(0, "abc")[:2], frame(0, "abc")[2:]},
			frame(0, "abc") + frame(0x80, "grpc-status: 16\r\ngrpc-message: "+textExpired+"\r\n"), "", false,
		},
		"a message of gRPC": {"application/grpc", []string{frame(0, "abc"), frame(0, "d")}, frame(0, "abc"), "16", false},
		"an end that was sent": {
			"application/connect+proto", []string{frame(0, "abc") + frame(2, "{}"), frame(0, "d")}, frame(0, "abc") + frame(2, "{}"), "", false,
		},
		"a message that is never finished": {"application/connect+proto", []string{frame(0, "abc")[:6], ""}, "", "", true},
		"an end that is never finished":    {"application/connect+proto", []string{frame(2, "{}")[:6], ""}, "", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				for i, part := range c.writes {
					if i == 1 {
						w.(http.Flusher).Flush()
						<-r.Context().Done() // soon enough for what may still be written
					}
					if n, err := io.WriteString(w, part); err == nil && n != len(part) {
						t.Errorf("wrote %d bytes of %q", n, part)
					}
				}
				w.Header().Set("Ignored", "too late")
				w.WriteHeader(http.StatusTeapot)
				w.(http.Flusher).Flush()
			})
			server := h2.serve(t, connectauth.NewMiddleware(expiring(lifetime))(handler))
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+methodOf(unary), http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			request.Header = token.Clone()
			response, err := server.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if aborted := err != nil; aborted != c.aborted || !aborted && string(body) != c.want {
				t.Errorf("got %q and %v", body, err)
			}
			if code := response.Trailer.Get("Grpc-Status"); code != c.trailer {
				t.Errorf("got the trailer %q, want %q", code, c.trailer)
			}
		})
	}
}

// What middleware further in asks of a response is done until the expiry, and refused then.
func TestResponseControllersBehindAnExpiry(t *testing.T) {
	t.Parallel()
	ask := func(w http.ResponseWriter) []error {
		control := http.NewResponseController(w)
		return []error{
			control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{}), control.EnableFullDuplex(), control.Flush(),
		}
	}
	errs := make(chan []error, 2)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Content-Type", "application/connect+proto") // a unary answer would be the handler's to finish
		errs <- ask(w)
		time.Sleep(2 * lifetime)
		errs <- ask(w)
	})
	server := h2.serve(t, connectauth.NewMiddleware(expiring(lifetime))(handler))
	server.call(t.Context(), connectProtocol, unary, token)
	for i, err := range <-errs {
		if err != nil {
			t.Errorf("question %d before the expiry: %v", i, err)
		}
	}
	for i, err := range <-errs {
		if connect.CodeOf(err) != connect.CodeUnauthenticated {
			t.Errorf("question %d after the expiry: %v", i, err)
		}
	}
}

// A response writer of another kind, without the means to interrupt anybody, still gets the answer.
func TestExpiryWithoutNetHTTPsResponseWriter(t *testing.T) {
	t.Parallel()
	handler := connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}))
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, methodOf(unary), http.NoBody)
	request.Header = token.Clone()
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, request)
	if response.Code != http.StatusUnauthorized || !strings.Contains(response.Body.String(), textExpired) {
		t.Errorf("got %d %q", response.Code, response.Body)
	}
}
