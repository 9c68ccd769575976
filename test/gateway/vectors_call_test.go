package gateway

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/vectors"
)

// vectorWire is a version of HTTP between a caller and the gateway.
type vectorWire struct {
	name  string
	http2 bool
}

var vectorWires = []vectorWire{{"grpc-gateway over HTTP/1", false}, {"grpc-gateway over HTTP/2", true}}

// gatewayDoor is a gateway before the services of a file, and a client of it.
type gatewayDoor struct {
	url    string
	client *http.Client
}

func openGateway(
	t *testing.T, file *vectors.File, services map[string]*vectors.Service, mode vectorMode, wire vectorWire,
) gatewayDoor {
	t.Helper()
	named := file.HeaderNames()
	matcher := func(name string) (string, bool) { // as passHeaders
		key := strings.ToLower(name)
		return key, named[key] && key != "authorization"
	}
	register := mode.serve(t, slices.Collect(maps.Values(services)))
	all := http.NewServeMux()
	for _, s := range services {
		mux := runtime.NewServeMux(runtime.WithIncomingHeaderMatcher(matcher))
		if err := register(t.Context(), mux, s); err != nil {
			t.Fatal(err)
		}
		all.Handle("/"+s.Name+"/", http.StripPrefix("/"+s.Name, mux))
	}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(!wire.http2)
	protocols.SetUnencryptedHTTP2(wire.http2)
	server := httptest.NewUnstartedServer(all)
	server.Config.Protocols = protocols
	server.Start()
	t.Cleanup(server.Close)
	transport := &http.Transport{Protocols: protocols, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return gatewayDoor{server.URL, &http.Client{Transport: transport}}
}

// call makes the call of a case as curl does. Each must be answered: by the server, or by the gateway itself.
func (d gatewayDoor) call(
	ctx context.Context, t *testing.T, s *vectors.Service, kind vectors.Kind, c *vectors.Case,
) vectors.Answer {
	t.Helper()
	status, body, err := d.post(ctx, "/"+s.Name+greeterMethods[kind], c)
	if err != nil {
		t.Errorf("%s: %v", kind, err)
		return vectors.Answer{Reset: true}
	}
	answer, err := readAnswer(status, body)
	if err != nil {
		t.Errorf("%s: %d %s: %v", kind, status, body, err)
	}
	return answer
}

func (d gatewayDoor) post(ctx context.Context, path string, c *vectors.Case) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+path, strings.NewReader("{}"))
	if err != nil {
		return 0, nil, err
	}
	for _, pair := range c.Send {
		value := string(pair.Value) // on the wire, -bin values are in base64 already
		if c.By != vectors.ByWire {
			if value, err = pair.Unmarked(); err != nil {
				return 0, nil, err
			}
			if strings.HasSuffix(pair.Key, "-bin") {
				value = base64.StdEncoding.EncodeToString([]byte(value))
			}
		}
		request.Header.Add(pair.Key, value)
	}
	response, err := d.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// gatewayStatus is a status in JSON.
type gatewayStatus struct {
	Code    codes.Code        `json:"code"`
	Message string            `json:"message"`
	Details []json.RawMessage `json:"details"`
}

var errUnlike = errors.New("HTTP's status is not the one of the code, or the body is not what such a call gets")

// readAnswer reads a message, or several of a stream, or a status: by itself, or as a stream's error.
func readAnswer(status int, body []byte) (vectors.Answer, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	messages := 0
	for {
		var part struct {
			gatewayStatus

			Error *gatewayStatus `json:"error"`
		}
		err := decoder.Decode(&part)
		switch {
		case errors.Is(err, io.EOF) && status == http.StatusOK && messages == 1:
			return vectors.Answer{}, nil
		case err != nil:
			return vectors.Answer{}, errors.Join(err, errUnlike)
		case part.Error == nil && part.Code == codes.OK:
			messages++
			continue
		case part.Error != nil:
			part.gatewayStatus = *part.Error
		}
		if status != runtime.HTTPStatusFromCode(part.Code) || messages > 0 || decoder.More() {
			return vectors.Answer{}, errUnlike
		}
		return vectors.Answer{Code: part.Code, Message: part.Message, Details: len(part.Details)}, nil
	}
}
