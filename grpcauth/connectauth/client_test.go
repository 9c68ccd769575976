package connectauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// clientOf is the interceptor of a client whose token comes from this source.
func clientOf(
	t *testing.T, token grpcauth.Source[grpcauth.Secret], options ...grpcauth.ClientOption,
) *connectauth.ClientInterceptor {
	t.Helper()
	return connectauth.NewClientInterceptor(authimpl.NewClientInterceptor(tableFor(bearer()), options,
		authimpl.Supply("x-tenant", "DoorCredentials.XTenant", grpcauth.Static(int64(7))),
		authimpl.SupplyBearer("authorization", "DoorCredentials.AuthorizationBearer", token)))
}

// counted is a source that counts how often it is asked.
func counted(value string, times *int) grpcauth.Source[grpcauth.Secret] {
	return func(context.Context, grpcauth.Call) (grpcauth.Secret, error) {
		*times++
		return grpcauth.NewSecret(value), nil
	}
}

// echo is a handler that keeps the header of what reaches it and refuses it.
type echo struct {
	mutex   sync.Mutex
	headers []http.Header
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mutex.Lock()
	e.headers = append(e.headers, r.Header.Clone())
	e.mutex.Unlock()
	io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusForbidden)
}

func (e *echo) take() []http.Header {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	taken := e.headers
	e.headers = nil
	return taken
}

// What a client supplies is what the same rule takes, in all protocols and kinds.
func TestClientsSupplyWhatServersRequire(t *testing.T) {
	table := tableFor(authimpl.Method{
		Headers: []authimpl.Header{
			{Name: "x-literal", Equals: "42"},
			{Name: "x-number", Present: authimpl.Int64},
			{Name: "x-data-bin", Present: authimpl.Bytes},
		},
		AnyOf:  [][]authimpl.Header{{{Name: "x-api-key", Verify: authimpl.String}}, {{Name: "authorization", Bearer: true}}},
		Denial: refusal,
	})
	got := map[string]string{}
	s := &service{handled: func(ctx context.Context) error {
		number, _ := authimpl.FromContext[int64](ctx, table, "x-number")
		data, _ := authimpl.FromContext[[]byte](ctx, table, "x-data-bin")
		who, _ := grpcauth.Principal[account](ctx)
		got = map[string]string{"number": fmt.Sprint(number), "data": string(data), "who": string(who)}
		return nil
	}}
	know := func(ctx context.Context, _ grpcauth.Call, token grpcauth.Secret) (context.Context, error) {
		return grpcauth.WithPrincipal(ctx, account(token.Reveal())), nil
	}
	server := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyValue("x-api-key", "", know),
		authimpl.VerifyBearer("authorization", know))
	client := connectauth.NewClientInterceptor(authimpl.NewClientInterceptor(table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()},
		authimpl.Supply("x-number", "a", grpcauth.Static(int64(-5))),
		authimpl.Supply("x-data-bin", "b", grpcauth.Static([]byte{0, 0xff, ','})),
		authimpl.SupplyValue[grpcauth.Secret]("x-api-key", "", "c", nil),
		authimpl.SupplyBearer("authorization", "d", grpcauth.Static(grpcauth.NewSecret("Ann")))))
	want := map[string]string{"number": "-5", "data": "\x00\xff,", "who": "Ann"}
	everyCall(t, server, s, func(t *testing.T, server *served, p protocol, k kind) {
		t.Helper()
		got = nil
		// What the caller puts there under the same names is replaced, whatever its case.
		header := http.Header{"X-Literal": {"41", "42"}, "x-number": {"6"}, "Authorization": {"Bearer Eve"}, "X-Data-Bin": {"AA"}}
		err := server.call(t.Context(), p, k, header, connect.WithInterceptors(client))
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("got %v and %v, want %v", err, got, want)
		}
	})
}

// Credentials go to https URLs, through the HTTP client that knows them, and nowhere else.
func TestT26_CredentialsTravelWithTLSOnly(t *testing.T) {
	t.Parallel()
	for _, wire := range wires {
		for _, p := range protocols {
			for _, k := range kinds {
				if !wire.carries(p, k) {
					continue
				}
				t.Run(strings.Join([]string{wire.name, p.name, string(k)}, "/"), func(t *testing.T) {
					t.Parallel()
					interceptor := authimpl.NewServerInterceptor(tableFor(bearer()), nil, verifier())
					asked, target := 0, &echo{}
					server := wire.serve(t, connectauth.NewMiddleware(interceptor)((&service{}).handler()))
					plain := wire.serve(t, target)

					alone := clientOf(t, counted("ann", &asked))
					wantError(t, server.call(t.Context(), p, k, nil, connect.WithInterceptors(alone)), connect.CodeUnauthenticated,
						"grpcauth: "+methodOf(k)+" requires a credential, and this client does not know whether it uses TLS: give it "+
							"the HTTP client that connectauth.ClientInterceptor.HTTPClient returns, or use grpcauth.AllowInsecureTransport()")

					auth := clientOf(t, counted("ann", &asked))
					client := auth.HTTPClient(server.client)
					if !wire.tls {
						err := callWith(t.Context(), auth.HTTPClient(plain.client), plain.URL, p, k, nil, connect.WithInterceptors(auth))
						wantError(t, err, connect.CodeUnauthenticated, "grpcauth: "+methodOf(k)+` requires header "authorization": it is a credential, `+
							"and this connection does not promise privacy and integrity: use TLS, or grpcauth.AllowInsecureTransport()")
						if asked > 0 || len(target.take()) > 0 {
							t.Errorf("the source was asked %d times, or something was sent", asked)
						}
						insecure := clientOf(t, counted("ann", &asked), grpcauth.AllowInsecureTransport())
						if err := server.call(t.Context(), p, k, nil, connect.WithInterceptors(insecure)); err != nil || asked != 1 {
							t.Errorf("got %v, and the source was asked %d times", err, asked)
						}
						return
					}
					header := http.Header{"Authorization": {"Bearer eve"}, "authorization": {"Bearer eve"}}
					err := callWith(t.Context(), client, server.URL, p, k, header, connect.WithInterceptors(auth))
					if err != nil || asked != 1 {
						t.Errorf("got %v, and the source was asked %d times", err, asked)
					}
				})
			}
		}
	}
}

// The value is seen by the server, and not by interceptors or by what the caller keeps of its request.
func TestT39_CredentialsDoNotStayInTheCallersHeader(t *testing.T) {
	t.Parallel()
	server := h2.serve(t, connectauth.NewMiddleware(authimpl.NewServerInterceptor(tableFor(bearer()), nil, verifier()))((&service{}).handler()))
	auth := clientOf(t, grpcauth.Static(grpcauth.NewSecret("ann")))
	caller := connect.NewClient[message, message](auth.HTTPClient(server.client), server.URL+methodOf(unary), connect.WithInterceptors(auth))
	request := connect.NewRequest(&message{})
	if _, err := caller.CallUnary(t.Context(), request); err != nil || strings.Contains(fmt.Sprint(request.Header()), "ann") {
		t.Errorf("got %v, and the caller's header %v", err, request.Header())
	}
}

// Errors of sources are those of grpc's clients, and nothing is sent.
func TestErrorsOfSources(t *testing.T) {
	t.Parallel()
	prefix := func(k kind) string { return "grpcauth: " + methodOf(k) + ` requires header "authorization": ` }
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		fail error
		code connect.Code
		text string
	}{
		"of its own":        {nil, errors.New("broken"), connect.CodeUnauthenticated, "its source failed: broken"},
		"a status":          {nil, status.Error(codes.Unavailable, "down"), connect.CodeUnavailable, "its source failed: down"},
		"a reserved status": {nil, status.Error(codes.NotFound, "gone"), connect.CodeUnauthenticated, "its source failed: gone"},
		"none": {
			nil, grpcauth.ErrNoCredential, connect.CodeUnauthenticated,
			"DoorCredentials.AuthorizationBearer has no credential for this call",
		},
		"an ended call": {ended, errors.New("broken"), connect.CodeCanceled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := &echo{}
			server := h2.serve(t, target)
			source := func(context.Context, grpcauth.Call) (grpcauth.Secret, error) { return grpcauth.Secret{}, c.fail }
			for _, auth := range []*connectauth.ClientInterceptor{
				clientOf(t, source, grpcauth.AllowInsecureTransport()), clientOf(t, source),
			} {
				for _, p := range protocols {
					for _, k := range kinds {
						ctx, text := t.Context(), prefix(k)+c.text
						if c.ctx != nil {
							ctx = c.ctx
						}
						err := callWith(ctx, auth.HTTPClient(server.client), server.URL, p, k, nil, connect.WithInterceptors(auth))
						if connect.CodeOf(err) != c.code || c.text != "" && !strings.HasSuffix(err.Error(), text) {
							t.Errorf("%s: got %v, want %s: %s", k, err, c.code, text)
						}
					}
				}
			}
			if sent := target.take(); len(sent) > 0 {
				t.Errorf("something was sent: %v", sent)
			}
		})
	}
}

// A client without a source fails locally, unless the caller supplies the value itself.
func TestClientsWithoutASource(t *testing.T) {
	t.Parallel()
	target := &echo{}
	closed := h2.serve(t, target)
	open := h2.serve(t, connectauth.NewMiddleware(authimpl.NewServerInterceptor(tableFor(bearer()), nil, verifier()))((&service{}).handler()))
	auth := clientOf(t, nil)
	for _, p := range protocols {
		for _, k := range kinds {
			err := closed.call(t.Context(), p, k, nil, connect.WithInterceptors(auth))
			wantError(t, err, connect.CodeUnauthenticated, "grpcauth: "+methodOf(k)+` requires header "authorization": `+
				"this client has no value for it: set DoorCredentials.AuthorizationBearer")
			err = open.call(t.Context(), p, k, http.Header{"Authorization": {"Bearer ann"}}, connect.WithInterceptors(auth))
			if err != nil {
				t.Errorf("%s with the caller's own: %v", k, err)
			}
		}
	}
	if sent := target.take(); len(sent) > 0 {
		t.Errorf("something was sent: %v", sent)
	}
}

// Each value that a client lacks has to come from the caller, and not only the first.
func TestClientsWithoutSeveralSources(t *testing.T) {
	t.Parallel()
	target := &echo{}
	server := h2.serve(t, target)
	table := tableFor(headers(authimpl.Header{Name: "x-a", Present: authimpl.String}, authimpl.Header{Name: "x-b", Present: authimpl.String}))
	auth := connectauth.NewClientInterceptor(authimpl.NewClientInterceptor(table, nil,
		authimpl.Supply[string]("x-a", "DoorCredentials.XA", nil), authimpl.Supply[string]("x-b", "DoorCredentials.XB", nil)))
	for missing, header := range map[string]http.Header{"x-b": {"X-A": {"1"}}, "x-a": {"X-B": {"1"}}} {
		err := server.call(t.Context(), connectProtocol, unary, header, connect.WithInterceptors(auth))
		if err == nil || !strings.Contains(err.Error(), `requires header "`+missing+`"`) {
			t.Errorf("without %s: got %v", missing, err)
		}
	}
	if sent := target.take(); len(sent) > 0 {
		t.Errorf("something was sent: %v", sent)
	}
}

// No header reaches a method that did not declare it, nor anything else that is called with the same clients.
func TestT27_OnlyMethodsThatDeclareAHeaderGetIt(t *testing.T) {
	t.Parallel()
	target := &echo{}
	server, other := h2.serve(t, target), h2.serve(t, target) // both certificates are httptest's
	auth := clientOf(t, grpcauth.Static(grpcauth.NewSecret("ann")))
	client := auth.HTTPClient(server.client)
	for _, path := range []string{"/health.v1.Health/Check", "/door.v1.Door/Unknown", "/door.v1.Doors/Unary"} {
		health := connect.NewClient[message, message](client, server.URL+path, connect.WithInterceptors(auth))
		if _, err := health.CallUnary(t.Context(), connect.NewRequest(&message{})); err == nil {
			t.Error("the server's refusal got lost")
		}
		stream := health.CallBidiStream(t.Context())
		stream.CloseRequest()
		stream.CloseResponse()
	}
	// A request of something further in, such as a source of tokens, that uses the call's context.
	curious := connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
			for _, url := range []string{server.URL + "/token", other.URL + methodOf(unary)} {
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
				if err != nil {
					return nil, err
				}
				response, err := client.Do(request)
				if err != nil {
					return nil, err
				}
				response.Body.Close()
			}
			return nil, connect.NewError(connect.CodeAborted, nil)
		}
	})
	err := callWith(t.Context(), client, server.URL, connectProtocol, unary, nil, connect.WithInterceptors(auth, curious))
	seen := target.take()
	if len(seen) != 2*3+2 || connect.CodeOf(err) != connect.CodeAborted {
		t.Errorf("%d requests arrived, and the call's error is %v", len(seen), err)
	}
	for _, header := range seen {
		if strings.Contains(fmt.Sprint(header), "ann") || header.Get("X-Tenant") != "" {
			t.Errorf("got %v", header)
		}
	}
}

// Credentials do not follow a redirection: not to another host, and not to plaintext on the same one. Other
// requests of the HTTP client do, as its owner has set.
func TestT26_CredentialsDoNotFollowRedirections(t *testing.T) {
	t.Parallel()
	target := &echo{}
	plain, other := http1.serve(t, target), http1TLS.serve(t, target)
	auth := clientOf(t, grpcauth.Static(grpcauth.NewSecret("ann")))
	for _, to := range []string{plain.URL, other.URL} {
		var first []http.Header
		server := http1TLS.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			first = append(first, r.Header.Clone())
			http.Redirect(w, r, to+r.URL.Path, http.StatusPermanentRedirect)
		}))
		server.client.Transport.(*http.Transport).TLSClientConfig.RootCAs.AddCert(other.Certificate())
		for _, k := range []kind{unary, get, serverStream} {
			first = nil
			err := callWith(t.Context(), auth.HTTPClient(server.client), server.URL, connectProtocol, k, nil, connect.WithInterceptors(auth))
			if err == nil || len(target.take()) > 0 {
				t.Errorf("%s to %s: got %v, or it followed", k, to, err)
			}
			if len(first) != 1 || first[0].Get("Authorization") != "Bearer ann" {
				t.Errorf("%s to %s: the first host got %v", k, to, first)
			}
		}
	}
	loop := http1.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Path, http.StatusPermanentRedirect)
	}))
	follow := func(client *http.Client) error {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, loop.URL+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := auth.HTTPClient(client).Do(request)
		if err == nil {
			response.Body.Close()
		}
		return err
	}
	if err := follow(loop.client); err == nil || !strings.HasSuffix(err.Error(), "stopped after 10 redirects") {
		t.Errorf("got %v", err)
	}
	errOwn := errors.New("the owner's own")
	own := &http.Client{Transport: loop.client.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return errOwn }}
	if err := follow(own); !errors.Is(err, errOwn) {
		t.Errorf("got %v", err)
	}
}

// doer is an HTTP client that is no *http.Client.
type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(request *http.Request) (*http.Response, error) { return d(request) }

// HTTP clients of other kinds serve as well, and two of ours, one in the other, fetch once.
func TestHTTPClientsOfOtherKinds(t *testing.T) {
	t.Parallel()
	server := h2.serve(t, connectauth.NewMiddleware(authimpl.NewServerInterceptor(tableFor(bearer()), nil, verifier()))((&service{}).handler()))
	asked := 0
	auth := clientOf(t, counted("ann", &asked))
	client := auth.HTTPClient(auth.HTTPClient(doer(server.client.Do)))
	err := callWith(t.Context(), client, server.URL, connectProtocol, unary, nil, connect.WithInterceptors(auth))
	if err != nil || asked != 1 {
		t.Errorf("got %v, and the source was asked %d times", err, asked)
	}
}

// A stream that is not opened says so on both of its sides, at once.
func TestStreamsThatAreNotOpened(t *testing.T) {
	t.Parallel()
	target := &echo{}
	server := h2.serve(t, target)
	auth := clientOf(t, nil)
	caller := connect.NewClient[message, message](server.client, server.URL+methodOf(bidi), connect.WithInterceptors(auth))
	stream := caller.CallBidiStream(t.Context())
	received := make(chan error, 1)
	go func() { // waits for the sending side
		_, err := stream.Receive()
		received <- err
	}()
	time.Sleep(10 * time.Millisecond)
	for _, err := range []error{stream.Send(&message{}), stream.Send(&message{}), stream.CloseRequest(), <-received} {
		if connect.CodeOf(err) != connect.CodeUnauthenticated {
			t.Errorf("got %v", err)
		}
	}
	if len(stream.ResponseHeader())+len(stream.ResponseTrailer()) > 0 || stream.CloseResponse() != nil {
		t.Error("there is a response")
	}
	if sent := target.take(); len(sent) > 0 {
		t.Errorf("something was sent: %v", sent)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stream = caller.CallBidiStream(ctx)
	cancel()
	if _, err := stream.Receive(); connect.CodeOf(err) != connect.CodeCanceled {
		t.Errorf("of an ended context: got %v", err)
	}
}

// Header and trailer of a stream that is opened are the server's.
func TestStreamsThatAreOpened(t *testing.T) {
	t.Parallel()
	handler := connect.NewBidiStreamHandler(methodOf(bidi), func(_ context.Context, stream *connect.BidiStream[message, message]) error {
		stream.ResponseHeader().Set("X-Header", "h")
		stream.ResponseTrailer().Set("X-Trailer", "t")
		return stream.Send(&message{})
	})
	rule := expiring(time.Hour)
	for name, guarded := range map[string]http.Handler{
		"middleware": connectauth.NewMiddleware(rule)(handler),
		"interceptor": connect.NewBidiStreamHandler(methodOf(bidi), func(_ context.Context, stream *connect.BidiStream[message, message]) error {
			stream.ResponseHeader().Set("X-Header", "h")
			stream.ResponseTrailer().Set("X-Trailer", "t")
			return stream.Send(&message{})
		}, connect.WithInterceptors(connectauth.NewInterceptor(rule))),
	} {
		server := h2.serve(t, guarded)
		auth := clientOf(t, grpcauth.Static(grpcauth.NewSecret("ann")))
		for _, p := range protocols {
			stream := connect.NewClient[message, message](auth.HTTPClient(server.client), server.URL+methodOf(bidi),
				append(p.options, connect.WithInterceptors(auth))...).CallBidiStream(t.Context())
			if err := stream.CloseRequest(); err != nil {
				t.Fatal(err)
			}
			for {
				if _, err := stream.Receive(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(stream.ResponseHeader()["X-Header"], []string{"h"}) || !slices.Equal(stream.ResponseTrailer()["X-Trailer"], []string{"t"}) {
				t.Errorf("%s, %s: header %v, trailer %v", name, p.name, stream.ResponseHeader(), stream.ResponseTrailer())
			}
			stream.CloseResponse()
		}
	}
}

// Where the interceptor adds credentials by itself, the HTTP client has nothing to add, and asks nobody.
func TestSourcesAreAskedOnceOnInsecureTransports(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(tableFor(bearer()), nil, verifier())
	server := h2c.serve(t, connectauth.NewMiddleware(interceptor)((&service{}).handler()))
	asked := 0
	auth := clientOf(t, counted("ann", &asked), grpcauth.AllowInsecureTransport())
	for _, k := range kinds {
		asked = 0
		err := callWith(t.Context(), auth.HTTPClient(server.client), server.URL, connectProtocol, k, nil, connect.WithInterceptors(auth))
		if err != nil || asked != 1 {
			t.Errorf("%s: got %v, and the source was asked %d times", k, err, asked)
		}
	}
}

// What a client does with an open stream reaches its server, and what becomes of it reaches the client.
func TestStreamsThatAreGivenUp(t *testing.T) {
	t.Parallel()
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 1)
			s := &service{receive: func(ctx context.Context, receive, send func() error) error {
				if err := send(); err != nil {
					return err
				}
				<-ctx.Done()
				ended <- context.Cause(ctx)
				return receive()
			}}
			server := h2.serve(t, s.handler())
			auth := clientOf(t, grpcauth.Static(grpcauth.NewSecret("ann")))
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			t.Cleanup(cancel)
			stream := connect.NewClient[message, message](auth.HTTPClient(server.client), server.URL+methodOf(bidi),
				append(p.options, connect.WithInterceptors(auth))...).CallBidiStream(ctx)
			if err := stream.Send(&message{}); err != nil {
				t.Fatal(err)
			}
			if _, err := stream.Receive(); err != nil {
				t.Fatal(err)
			}
			if err := stream.CloseResponse(); err != nil {
				t.Errorf("CloseResponse: %v", err)
			}
			select {
			case <-ended:
			case <-time.After(patience / 2): // before the context's end, which would end it, too
				t.Error("the server was not told")
			}
			if err := stream.Send(&message{}); !errors.Is(err, io.EOF) {
				t.Errorf("Send afterwards: %v", err)
			}
		})
	}
}
