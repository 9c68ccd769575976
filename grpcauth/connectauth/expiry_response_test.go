package connectauth_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/connectauth"
)

// post makes a request with a token, and returns its answer with the body unread. That is closed in the end.
func (s *served) post(t *testing.T, body io.Reader) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+methodOf(unary), body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = token.Clone()
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// The header of a handler that goes on when it has said all stays its own.
func TestTrailersAfterTheEndOfAStreamThatExpires(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	const end = "\x02\x00\x00\x00\x02{}"
	server := h2.serve(t, connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/connect+proto")
			io.WriteString(w, end)
			w.(http.Flusher).Flush()
			w.Header().Set(http.TrailerPrefix+"Draft", "trailer")
			<-release
		})))
	response := server.post(t, http.NoBody) //nolint:bodyclose // post does
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != end || len(response.Trailer) > 0 {
		t.Errorf("got %q, %v and the trailers %v", body, err, response.Trailer)
	}
}

// A handler that stops in the middle of a message, to read more of the request, is woken.
func TestReadsInTheMiddleOfAMessageEnd(t *testing.T) {
	t.Parallel()
	for _, wire := range []wire{h2, http1} {
		t.Run(wire.name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan error, 1)
			server := wire.serve(t, connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(
				func(w http.ResponseWriter, r *http.Request) {
					http.NewResponseController(w).EnableFullDuplex()
					w.Header().Set("Content-Type", "application/connect+proto")
					io.WriteString(w, "\x00")
					w.(http.Flusher).Flush()
					_, err := io.Copy(io.Discard, r.Body)
					ended <- err
				})))
			reader, writer := io.Pipe()
			t.Cleanup(func() { writer.Close() })
			response := server.post(t, reader) //nolint:bodyclose // post does
			wantEnd(t, ended)
			if body, err := io.ReadAll(response.Body); err == nil {
				t.Errorf("the caller took %q for a success", body)
			}
		})
	}
}

// What middleware further out has put into the header arrives, and early hints are no answer that the expiry would
// have to leave alone: nothing of them is in the refusal.
func TestHeadersAroundAnExpiry(t *testing.T) {
	t.Parallel()
	for lives, status := range map[time.Duration]int{time.Hour: http.StatusTeapot, lifetime: http.StatusUnauthorized} {
		t.Run(lives.String(), func(t *testing.T) {
			t.Parallel()
			guarded := connectauth.NewMiddleware(expiring(lives))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Own", "1")
				w.WriteHeader(http.StatusEarlyHints)
				if lives == lifetime {
					<-r.Context().Done()
				}
				w.WriteHeader(http.StatusTeapot)
			}))
			server := h2.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Kept", "1")
				guarded.ServeHTTP(w, r)
			}))
			response := server.post(t, http.NoBody) //nolint:bodyclose // post does
			own := response.Header.Get("Own") != ""
			if response.StatusCode != status || response.Header.Get("Kept") != "1" || own != (status == http.StatusTeapot) {
				t.Errorf("got %s with %v", response.Status, response.Header)
			}
		})
	}
}

// A handler that goes on after its last write keeps no call open: neither where the write has failed, nor where it
// has finished a message. What it writes afterwards goes nowhere.
func TestHandlersThatGoOnAfterTheirLastWrite(t *testing.T) {
	t.Parallel()
	random := make([]byte, 64*mebibyte) // more than a connection holds
	rand.Read(random)
	for name, write := range map[string]func(context.Context, http.ResponseWriter){
		"it fails": func(_ context.Context, w http.ResponseWriter) {
			w.Write(envelope(random))
		},
		"it finishes a message": func(ctx context.Context, w http.ResponseWriter) {
			whole := envelope([]byte("abc"))
			w.Write(whole[:6])
			http.NewResponseController(w).Flush()
			<-ctx.Done()
			time.Sleep(lifetime / 4) // the call's end is most likely to wait for the rest by now
			w.Write(whole[6:])
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ended, release, late := make(chan error, 1), make(chan struct{}), make(chan error, 1)
			guarded := connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/connect+proto")
				write(r.Context(), w)
				<-release
				_, err := w.Write(envelope(nil))
				late <- err
			}))
			server := http1.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer func() { ended <- nil }()
				guarded.ServeHTTP(w, r)
			}))
			conn, _ := dialRaw(t, server) // which is not read
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Length: 0\r\n\r\n", methodOf(serverStream))
			wantEnd(t, ended)
			close(release)
			wantError(t, <-late, connect.CodeUnauthenticated, textExpired)
		})
	}
}

// Neither does a handler that stops in the middle of a message, and cares for nothing.
func TestHandlersThatNeverFinishAMessage(t *testing.T) {
	t.Parallel()
	for _, wire := range []wire{h2, http1} {
		t.Run(wire.name, func(t *testing.T) {
			t.Parallel()
			ended, release := make(chan error, 1), make(chan struct{})
			guarded := connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/connect+proto")
				w.Write(envelope([]byte("abc"))[:6])
				http.NewResponseController(w).Flush()
				<-release
			}))
			server := wire.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer func() { ended <- nil }()
				guarded.ServeHTTP(w, r)
			}))
			t.Cleanup(func() { close(release) })
			response := server.post(t, http.NoBody) //nolint:bodyclose // post does
			wantEnd(t, ended)
			if body, err := io.ReadAll(response.Body); err == nil {
				t.Errorf("the caller took %q for a success", body)
			}
		})
	}
}

// What a caller has sent is read until the expiry, and not afterwards, though it has arrived.
func TestReadsAfterTheExpiry(t *testing.T) {
	t.Parallel()
	for _, wire := range []wire{h2, http1} {
		t.Run(wire.name, func(t *testing.T) {
			t.Parallel()
			read := make(chan string, 1)
			server := wire.serve(t, connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(
				func(_ http.ResponseWriter, r *http.Request) {
					io.ReadFull(r.Body, make([]byte, 1))
					<-r.Context().Done()
					rest, err := io.ReadAll(r.Body)
					if connect.CodeOf(err) != connect.CodeUnauthenticated {
						t.Errorf("the handler got %v", err)
					}
					read <- string(rest)
				})))
			server.post(t, strings.NewReader("abc")) //nolint:bodyclose // post does
			if rest := <-read; rest != "" {
				t.Errorf("the handler read %q", rest)
			}
		})
	}
}

// A handler may interrupt its own write, as without an expiry.
func TestHandlersThatInterruptTheirWrites(t *testing.T) {
	t.Parallel()
	random := make([]byte, 64*mebibyte) // more than a connection holds
	rand.Read(random)
	ended := make(chan error, 1)
	server := http1.serve(t, connectauth.NewMiddleware(expiring(time.Hour))(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) {
			go func() {
				time.Sleep(lifetime / 4) // the write is most likely to be blocked by now
				http.NewResponseController(w).SetWriteDeadline(time.Now())
			}()
			_, err := w.Write(random)
			ended <- err
		})))
	conn, _ := dialRaw(t, server) // which is not read
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\nContent-Length: 0\r\n\r\n", methodOf(unary))
	wantEnd(t, ended)
}

// unwrapping is a response writer of a middleware further out.
type unwrapping struct{ http.ResponseWriter }

func (w unwrapping) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// What follows the request of a stream that expires is never taken for a request, also where the response has begun
// and the request's body has not ended.
func TestWhatFollowsAnExpiredHTTP1StreamIsNoRequest(t *testing.T) {
	t.Parallel()
	for name, outer := range map[string]func(http.ResponseWriter) http.ResponseWriter{
		"net/http's writer": func(w http.ResponseWriter) http.ResponseWriter { return w },
		"a wrapped one":     func(w http.ResponseWriter) http.ResponseWriter { return unwrapping{w} },
		"one wrapped twice": func(w http.ResponseWriter) http.ResponseWriter { return unwrapping{unwrapping{w}} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int64
			guarded := connectauth.NewMiddleware(expiring(lifetime))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
					t.Error(err)
				}
				w.Header().Set("Content-Type", "application/connect+proto")
				w.Write(envelope(nil))
				http.NewResponseController(w).Flush()
				io.Copy(io.Discard, r.Body)
			}))
			server := http1.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) == 1 {
					guarded.ServeHTTP(outer(w), r)
				}
			}))
			conn, reader := dialRaw(t, server)
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer t\r\n"+
				"Content-Type: application/connect+proto\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", methodOf(clientStream))
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || !strings.Contains(string(body), textExpired) {
				t.Errorf("got %q and %v", body, err)
			}
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			if more, err := reader.ReadString('\n'); err == nil || requests.Load() != 1 {
				t.Errorf("the connection goes on with %q, and %d requests were served", more, requests.Load())
			}
		})
	}
}
