package connectauth

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// expiringResponse is the response of a handler until a credential expires. From then on the handler can write
// no more, also where it goes on after net/http has ended the call.
type expiringResponse struct {
	to     http.ResponseWriter
	expiry time.Time
	header http.Header // the handler's, copied when it counts: net/http reads its own at the end

	mutex    sync.Mutex // held while something is written
	changed  *sync.Cond
	begun    bool     // the header has been sent
	frames   *framing // of a stream's response, once begun
	broken   bool     // a write failed, or takes too long
	returned bool     // the handler
	inTime   bool     // the handler returned before the expiry, or has begun a unary answer before it
	over     bool     // nothing that the handler does counts any more; written with both mutexes held

	deciding sync.Mutex // held while it is decided what is in time, and never while something is written
	final    bool       // a unary answer has begun: it may take as long as it does
	late     bool       // the timer said so: the clock of the wall may be behind it
}

func newExpiringResponse(to http.ResponseWriter, expiry time.Time) *expiringResponse {
	made := &expiringResponse{to: to, expiry: expiry, header: http.Header{}}
	replace(made.header, to.Header())
	made.changed = sync.NewCond(&made.mutex)
	return made
}

// Header is the handler's header.
func (e *expiringResponse) Header() http.Header { return e.header }

// WriteHeader begins the response.
func (e *expiringResponse) WriteHeader(status int) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.begin(status)
}

// Write writes what the handler may still say: all of it before the expiry, and then the rest of a message or
// of a unary answer that has begun.
func (e *expiringResponse) Write(p []byte) (int, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if !e.begin(http.StatusOK) || e.frames.complete() && e.expired() {
		return 0, connectError(rules.ErrExpired)
	}
	n, err := e.to.Write(p)
	e.frames.advance(p[:n])
	e.broken = e.broken || err != nil
	e.changed.Broadcast()
	return n, err //nolint:wrapcheck // an http.ResponseWriter's error is its own
}

// Flush sends what has been written.
func (e *expiringResponse) Flush() { _ = e.FlushError() }

// FlushError is for [http.ResponseController], as are the next three.
func (e *expiringResponse) FlushError() error {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if !e.begin(http.StatusOK) {
		return connectError(rules.ErrExpired)
	}
	return http.NewResponseController(e.to).Flush() //nolint:wrapcheck // as above
}

// SetReadDeadline is for [http.ResponseController].
func (e *expiringResponse) SetReadDeadline(deadline time.Time) error {
	return e.control(func(c *http.ResponseController) error { return c.SetReadDeadline(deadline) })
}

// SetWriteDeadline is for [http.ResponseController].
func (e *expiringResponse) SetWriteDeadline(deadline time.Time) error {
	return e.control(func(c *http.ResponseController) error { return c.SetWriteDeadline(deadline) })
}

// EnableFullDuplex is for [http.ResponseController].
func (e *expiringResponse) EnableFullDuplex() error {
	return e.control((*http.ResponseController).EnableFullDuplex)
}

// begin is false if it is too late for a response.
func (e *expiringResponse) begin(status int) bool {
	switch {
	case e.over:
		return false
	case e.begun:
		return true
	}
	frames := framingOf(e.header.Get("Content-Type"))
	last := status >= http.StatusOK // else another header follows
	if !e.mayBegin(last && frames == nil) {
		return false
	}
	if !last { // what follows may be a refusal, which has nothing of the handler's
		defer replace(e.to.Header(), e.to.Header().Clone())
	}
	replace(e.to.Header(), e.header)
	e.to.WriteHeader(status)
	if last {
		e.begun, e.frames = true, frames
	}
	return true
}

// mayBegin is true for a response that begins before the expiry. final says that it is a unary answer.
func (e *expiringResponse) mayBegin(final bool) bool {
	e.deciding.Lock()
	defer e.deciding.Unlock()
	if e.tooLate() {
		return false
	}
	e.final = final
	return true
}

// expired is true when a handler may do no more than finish what it is writing.
func (e *expiringResponse) expired() bool {
	e.deciding.Lock()
	defer e.deciding.Unlock()
	return e.tooLate()
}

// tooLate is expired for those who hold deciding.
func (e *expiringResponse) tooLate() bool { return !e.final && (e.late || past(e.expiry)) }

// control does not wait for what is being written: a handler may want to interrupt just that.
func (e *expiringResponse) control(do func(*http.ResponseController) error) error {
	e.deciding.Lock() // also while it is done: the deadlines that follow an expiry stay the last ones
	defer e.deciding.Unlock()
	if e.over || e.tooLate() {
		return connectError(rules.ErrExpired)
	}
	return do(http.NewResponseController(e.to))
}

// handlerReturned says that nothing more will be written.
func (e *expiringResponse) handlerReturned() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.returned, e.inTime = true, !e.expired()
	e.changed.Broadcast()
}

// recall says that the credential has expired: no response begins from now on. It is false if a unary answer has
// begun, which was made in time, and which nothing but its end can follow. It does not wait for what is being
// written, which may be blocked.
func (e *expiringResponse) recall() bool {
	e.deciding.Lock()
	defer e.deciding.Unlock()
	e.late = true
	return !e.final
}

// stop waits for the message that is being written, though not for long, and lets nothing follow.
func (e *expiringResponse) stop() {
	timer := time.AfterFunc(lastWrite, e.giveUp)
	defer timer.Stop()
	e.mutex.Lock()
	defer e.mutex.Unlock()
	for e.begun && !e.frames.complete() && !e.broken && !e.returned {
		e.changed.Wait()
	}
	e.end()
}

// end is for those who hold mutex.
func (e *expiringResponse) end() {
	e.deciding.Lock()
	defer e.deciding.Unlock()
	e.over = true
}

func (e *expiringResponse) giveUp() {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.broken = true
	e.changed.Broadcast()
}

// finish ends the response: as the handler did if that was in time, and otherwise as the caller's protocol
// says that the credential has expired. refuse does so where the response has not begun.
func (e *expiringResponse) finish(refuse func()) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.end()
	switch {
	case e.inTime, e.frames.finished():
		if e.returned { // else its header is still the handler's
			replace(e.to.Header(), e.header) // and with it the trailers
		}
	case !e.begun:
		refuse()
	case e.broken || !e.frames.complete():
		panic(http.ErrAbortHandler) // the caller could not read anything that followed
	default:
		e.frames.end(e.to, connectError(rules.ErrExpired))
	}
}

// framing follows the messages of a stream's response. nil is for responses without.
type framing struct {
	endFlag byte // of the frame that ends the stream; 0 where HTTP's trailers do

	prefix []byte // of the frame under way
	rest   uint32 // of the frame under way, after the prefix
	ended  bool   // no frame follows the one under way
}

// The frames of all three protocols begin with a byte of flags and the length of what follows.
const (
	prefixBytes    = 5
	connectEndFlag = 1 << 1
	grpcWebEndFlag = 1 << 7
)

func framingOf(contentType string) *framing {
	switch {
	case strings.HasPrefix(contentType, "application/connect+"):
		return &framing{endFlag: connectEndFlag}
	case strings.HasPrefix(contentType, "application/grpc-web"):
		return &framing{endFlag: grpcWebEndFlag}
	case strings.HasPrefix(contentType, "application/grpc"):
		return &framing{}
	default:
		return nil
	}
}

// complete is true between two frames.
func (f *framing) complete() bool { return f != nil && f.rest == 0 && len(f.prefix) == 0 }

// finished is true when the frame that ends the stream has been written.
func (f *framing) finished() bool { return f.complete() && f.ended }

// advance follows what has been written.
func (f *framing) advance(p []byte) {
	for f != nil && len(p) > 0 {
		if f.rest > 0 {
			n := min(int64(f.rest), int64(len(p)))
			f.rest -= uint32(n) //nolint:gosec // not more than rest
			p = p[n:]
			continue
		}
		n := min(prefixBytes-len(f.prefix), len(p))
		f.prefix = append(f.prefix, p[:n]...)
		p = p[n:]
		if len(f.prefix) == prefixBytes {
			f.rest = binary.BigEndian.Uint32(f.prefix[1:])
			f.ended = f.ended || f.prefix[0]&f.endFlag != 0
			f.prefix = f.prefix[:0]
		}
	}
}

// end says why the stream ends, in words that need no escapes in any of the protocols.
func (f *framing) end(w http.ResponseWriter, reason *connect.Error) {
	code := strconv.Itoa(int(reason.Code()))
	var payload []byte
	switch f.endFlag {
	case connectEndFlag:
		payload = fmt.Appendf(nil, `{"error":{"code":%q,"message":%q}}`, reason.Code().String(), reason.Message())
	case grpcWebEndFlag:
		payload = fmt.Appendf(nil, "grpc-status: %s\r\ngrpc-message: %s\r\n", code, reason.Message())
	default:
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", code)
		w.Header().Set(http.TrailerPrefix+"Grpc-Message", reason.Message())
		return
	}
	frame := binary.BigEndian.AppendUint32([]byte{f.endFlag}, uint32(len(payload))) //nolint:gosec // short
	_, _ = w.Write(append(frame, payload...))
	_ = http.NewResponseController(w).Flush()
}
