package connectauth

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/challenge"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/bridge"
)

// connectError is a status as an error of connect's: the codes have the same numbers.
func connectError(err error) *connect.Error {
	refusal := status.Convert(err)
	return connect.NewError(connect.Code(refusal.Code()), errors.New(refusal.Message()))
}

// refuse answers in the protocol of the caller, without a look at the body. check is nil for a method that has
// none.
func (m *middleware) refuse(w http.ResponseWriter, r *http.Request, err error, check bridge.Check) {
	if r.ProtoMajor == 1 && r.ContentLength != 0 { // nobody knows when it comes, if it does
		abandonBody(w, r)
	}
	var challenges []string
	if check != nil {
		challenges = check.Challenges()
	}
	// What fails here is the connection, and the caller is gone.
	_ = m.errorWriter.Write(challenge.Writer(w, challenges...), r, connectError(err))
}

// abandonBody makes reads of the request's body fail, also those under way, and has an HTTP/1 connection
// closed after the response. Otherwise net/http would wait for up to 256 KiB of the body before it sends the response.
func abandonBody(w http.ResponseWriter, r *http.Request) {
	for {
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = outer.Unwrap()
	}
	if r.ProtoMajor == 1 {
		closeAfterReply(w)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // where there is none, reads go on
}

// closeAfterReply tells net/http not to read another request from the connection: what is left of the body
// must not be taken for one. Of the ways to say so, exceeding a limit is the only one that still works when
// the response has begun, and after which net/http lets the caller read the response before it closes. The
// limit is on a reader of our own.
func closeAfterReply(w http.ResponseWriter) {
	limited := http.MaxBytesReader(w, io.NopCloser(strings.NewReader("x")), 0)
	_, _ = limited.Read(make([]byte, 1)) // always fails
}
