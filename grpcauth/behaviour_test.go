package grpcauth_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// refusal is the denial of the rules below, unlike any that grpc makes by itself.
var refusal = authimpl.Denial{Code: codes.FailedPrecondition, Message: "Access denied! é"}

// rule is a rule by name, with the function that reads what it passes on.
type rule struct {
	method authimpl.Method
	read   func(ctx context.Context, table *authimpl.Service) (any, bool) // nil where nothing is passed on
}

func headers(list ...authimpl.Header) authimpl.Method {
	return authimpl.Method{Headers: list, Denial: refusal}
}

func reader[T authimpl.Text](header string) func(context.Context, *authimpl.Service) (any, bool) {
	return func(ctx context.Context, table *authimpl.Service) (any, bool) {
		return authimpl.FromContext[T](ctx, table, header)
	}
}

var rules = map[string]rule{
	"equals":      {method: headers(authimpl.Header{Name: "authorization", Equals: "42"})},
	"equals long": {method: headers(authimpl.Header{Name: "authorization", Equals: "a literal of more than thirty-two bytes"})},
	"in":          {headers(authimpl.Header{Name: "x-env", In: []string{"test", "staging"}}), reader[string]("x-env")},
	"string":      {headers(authimpl.Header{Name: "x-s", Present: authimpl.String}), reader[string]("x-s")},
	"int64":       {headers(authimpl.Header{Name: "x-i", Present: authimpl.Int64}), reader[int64]("x-i")},
	"uint64":      {headers(authimpl.Header{Name: "x-u", Present: authimpl.Uint64}), reader[uint64]("x-u")},
	"bool":        {headers(authimpl.Header{Name: "x-b", Present: authimpl.Bool}), reader[bool]("x-b")},
	"bytes":       {headers(authimpl.Header{Name: "x-bin", Present: authimpl.Bytes}), reader[[]byte]("x-bin")},
	"two": {headers(
		authimpl.Header{Name: "authorization", Equals: "42"}, authimpl.Header{Name: "x-i", Present: authimpl.Int64},
	), reader[int64]("x-i")},
	"public":     {method: authimpl.Method{Public: true}},
	"guarded_by": {method: authimpl.Method{GuardedBy: "something else"}},
}

// behaviour is a rule, the metadata that is sent, and, for a call that passes, the value that its handler
// reads. A call without an outcome is refused.
type behaviour struct {
	rule  string
	sent  []string // keys and values in turn
	value any
}

// passes marks an accepted call whose handler reads nothing.
type passes struct{}

var behaviours = []behaviour{
	{"equals", nil, nil},
	{"equals", []string{"authorization", "42"}, passes{}},
	{"equals", []string{"authorization", "42", "other", "43", "other", "44"}, passes{}},
	{"equals", []string{"other", "42"}, nil},
	{"equals", []string{"authorizatio", "42"}, nil},
	{"equals", []string{"authorization2", "42"}, nil},
	{"equals", []string{"authorization", "43"}, nil},
	{"equals", []string{"authorization", "4"}, nil},
	{"equals", []string{"authorization", "422"}, nil},
	{"equals", []string{"authorization", "042"}, nil},
	{"equals", []string{"authorization", " 42"}, nil},
	{"equals", []string{"authorization", "42 "}, nil},
	{"equals", []string{"authorization", " "}, nil},
	{"equals", []string{"authorization", "\"42\""}, nil},
	{"equals", []string{"authorization", "Bearer 42"}, nil},
	{"equals", []string{"authorization", ""}, nil},
	{"equals", []string{"authorization", "42", "authorization", "43"}, nil},
	{"equals", []string{"authorization", "43", "authorization", "42"}, nil},
	{"equals", []string{"authorization", "42", "authorization", "42"}, nil},
	{"equals", []string{"authorization", "", "authorization", "42"}, nil},
	{"equals", []string{"authorization", "42", "authorization", ""}, nil},
	{"equals", []string{"authorization", "42,43"}, nil},
	{"equals", []string{"authorization", "42,42"}, nil},
	{"equals", []string{"authorization", "42, 42"}, nil},
	{"equals long", []string{"authorization", "a literal of more than thirty-two bytes"}, passes{}},
	{"equals long", []string{"authorization", "a literal of more than thirty-two byteS"}, nil},
	{"equals long", []string{"authorization", "a literal of more than thirty-two byte"}, nil},
	{"equals long", []string{"authorization", "A Literal of more than thirty-two bytes"}, nil},

	{"in", nil, nil},
	{"in", []string{"x-env", "test"}, "test"},
	{"in", []string{"x-env", "staging"}, "staging"},
	{"in", []string{"x-env", "production"}, nil},
	{"in", []string{"x-env", "Test"}, nil},
	{"in", []string{"x-env", "tes"}, nil},
	{"in", []string{"x-env", "teststaging"}, nil},
	{"in", []string{"x-env", "test,staging"}, nil},
	{"in", []string{"x-env", ""}, nil},
	{"in", []string{"x-env", "test", "x-env", "staging"}, nil},
	{"in", []string{"x-env", "test", "x-env", "production"}, nil},

	{"string", nil, nil},
	{"string", []string{"x-s", ""}, nil},
	{"string", []string{"x-s", "a"}, "a"},
	{"string", []string{"x-s", "a,b"}, "a,b"},
	{"string", []string{"x-s", "a b"}, "a b"},
	{"string", []string{"x-s", " a "}, " a "},
	{"string", []string{"x-s", "a", "x-s", "a"}, nil},
	{"string", []string{"x-s", "", "x-s", "a"}, nil},
	{"string", []string{"x-s", "a", "x-s", ""}, nil},

	{"int64", nil, nil},
	{"int64", []string{"x-i", "0"}, int64(0)},
	{"int64", []string{"x-i", "7"}, int64(7)},
	{"int64", []string{"x-i", "-7"}, int64(-7)},
	{"int64", []string{"x-i", "9223372036854775807"}, int64(1<<63 - 1)},
	{"int64", []string{"x-i", "-9223372036854775808"}, int64(-1 << 63)},
	{"int64", []string{"x-i", "9223372036854775808"}, nil},
	{"int64", []string{"x-i", "-9223372036854775809"}, nil},
	{"int64", []string{"x-i", "99999999999999999999999999"}, nil},
	{"int64", []string{"x-i", ""}, nil},
	{"int64", []string{"x-i", "-"}, nil},
	{"int64", []string{"x-i", "-0"}, nil},
	{"int64", []string{"x-i", "+1"}, nil},
	{"int64", []string{"x-i", "07"}, nil},
	{"int64", []string{"x-i", "-07"}, nil},
	{"int64", []string{"x-i", "0x7"}, nil},
	{"int64", []string{"x-i", "1_0"}, nil},
	{"int64", []string{"x-i", "1e3"}, nil},
	{"int64", []string{"x-i", "7.0"}, nil},
	{"int64", []string{"x-i", " 7"}, nil},
	{"int64", []string{"x-i", "7 "}, nil},
	{"int64", []string{"x-i", "7 7"}, nil},
	{"int64", []string{"x-i", "7,7"}, nil},
	{"int64", []string{"x-i", "seven"}, nil},
	{"int64", []string{"x-i", "7", "x-i", "7"}, nil},
	{"int64", []string{"x-i", "7", "x-i", "8"}, nil},

	{"uint64", []string{"x-u", "0"}, uint64(0)},
	{"uint64", []string{"x-u", "18446744073709551615"}, uint64(1<<64 - 1)},
	{"uint64", []string{"x-u", "18446744073709551616"}, nil},
	{"uint64", []string{"x-u", "-1"}, nil},
	{"uint64", []string{"x-u", "-0"}, nil},
	{"uint64", []string{"x-u", "+1"}, nil},
	{"uint64", []string{"x-u", "00"}, nil},
	{"uint64", []string{"x-u", ""}, nil},
	{"uint64", nil, nil},

	{"bool", []string{"x-b", "true"}, true},
	{"bool", []string{"x-b", "false"}, false},
	{"bool", []string{"x-b", "True"}, nil},
	{"bool", []string{"x-b", "TRUE"}, nil},
	{"bool", []string{"x-b", "1"}, nil},
	{"bool", []string{"x-b", "t"}, nil},
	{"bool", []string{"x-b", "yes"}, nil},
	{"bool", []string{"x-b", ""}, nil},
	{"bool", []string{"x-b", "true", "x-b", "true"}, nil},
	{"bool", nil, nil},

	{"bytes", []string{"x-bin", "a"}, []byte("a")},
	{"bytes", []string{"x-bin", "\x00\xff\n"}, []byte{0, 255, '\n'}},
	{"bytes", []string{"x-bin", "YQ=="}, []byte("YQ==")},
	{"bytes", []string{"x-bin", "a,b"}, []byte("a,b")},
	{"bytes", []string{"x-bin", ""}, nil},
	{"bytes", []string{"x-bin", "a", "x-bin", "a"}, nil},
	{"bytes", []string{"x", "a"}, nil},
	{"bytes", nil, nil},

	{"two", nil, nil},
	{"two", []string{"authorization", "42"}, nil},
	{"two", []string{"x-i", "7"}, nil},
	{"two", []string{"authorization", "42", "x-i", "7"}, int64(7)},
	{"two", []string{"x-i", "7", "authorization", "42"}, int64(7)},
	{"two", []string{"authorization", "43", "x-i", "7"}, nil},
	{"two", []string{"authorization", "42", "x-i", "seven"}, nil},
	{"two", []string{"authorization", "7", "x-i", "42"}, nil},
	{"two", []string{"authorization", "42", "x-i", "7", "x-i", "7"}, nil},
	{"two", []string{"authorization", "42", "authorization", "42", "x-i", "7"}, nil},

	{"public", nil, passes{}},
	{"public", []string{"authorization", "43", "authorization", "44"}, passes{}},
	{"guarded_by", nil, passes{}},
	{"guarded_by", []string{"authorization", "43"}, passes{}},
}

// Every case with each installation, on each transport, with a method of each kind.
func TestBehaviour(t *testing.T) {
	t.Parallel()
	for _, install := range installs {
		for transportName, transport := range transports {
			for ruleName, rule := range rules {
				t.Run(fmt.Sprintf("%s/%s/%s", install.name, transportName, ruleName), func(t *testing.T) {
					t.Parallel()
					seen := &lastValue{}
					table := tableFor("test.v1."+"Service", rule.method)
					served := &service{name: table.Name, handled: func(ctx context.Context) {
						if rule.read == nil {
							seen.set(passes{}, true)
							return
						}
						seen.set(rule.read(ctx, table))
					}}
					connection := install.start(t, transport, authimpl.NewServerInterceptor(table, nil), served)
					tried := 0
					for _, behaviour := range behaviours {
						if behaviour.rule != ruleName {
							continue
						}
						tried++
						for _, kind := range kinds {
							check(t, behaviour, kind, served, seen, func(ctx context.Context) error {
								return call(ctx, connection, table.Name, kind)
							})
						}
					}
					if tried == 0 {
						t.Error("no case tries this rule")
					}
				})
			}
		}
	}
}

// check makes one call and compares everything that can be seen of it.
func check(t *testing.T, behaviour behaviour, kind kind, served *service, seen *lastValue, call func(context.Context) error) {
	t.Helper()
	before := served.runs.Load()
	err := call(metadata.NewOutgoingContext(t.Context(), metadata.Pairs(behaviour.sent...)))
	ran := served.runs.Load() - before
	if behaviour.value == nil {
		if status.Code(err) != refusal.Code || status.Convert(err).Message() != refusal.Message {
			t.Errorf("%s %q: got %v, want the rule's refusal", kind, behaviour.sent, err)
		}
		if ran != 0 {
			t.Errorf("%s %q: the handler of a refused call ran", kind, behaviour.sent)
		}
		return
	}
	if err != nil || ran != 1 {
		t.Errorf("%s %q: got %v, handler ran %d times; want it to pass", kind, behaviour.sent, err, ran)
		return
	}
	if value, ok := seen.get(); !ok || fmt.Sprintf("%T %v", value, value) != fmt.Sprintf("%T %v", behaviour.value, behaviour.value) {
		t.Errorf("%s %q: the handler read %T %v (%t), want %T %v",
			kind, behaviour.sent, value, value, ok, behaviour.value, behaviour.value)
	}
}

// lastValue is what a handler read, for the test's goroutine.
type lastValue struct {
	mutex sync.Mutex
	value any
	ok    bool
}

func (l *lastValue) set(value any, ok bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.value, l.ok = value, ok
}

func (l *lastValue) get() (any, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.value, l.ok
}
