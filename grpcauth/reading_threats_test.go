package grpcauth_test

import (
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// refuses sends each metadata to a method of each kind, with each installation, and expects refusals and
// handlers that do not run.
func refuses(t *testing.T, rule authimpl.Method, tried ...[]string) {
	t.Helper()
	tries(t, rule, false, tried)
}

// accepts is the opposite: it shows that the rule is what refuses the others.
func accepts(t *testing.T, rule authimpl.Method, tried ...[]string) {
	t.Helper()
	tries(t, rule, true, tried)
}

func tries(t *testing.T, rule authimpl.Method, pass bool, tried [][]string) {
	t.Helper()
	for _, install := range installs {
		table := tableFor("test.v1.Service", rule)
		served := &service{name: table.Name}
		connection := install.start(t, loopback, authimpl.NewServerInterceptor(table, nil), served)
		for _, pairs := range tried {
			for _, kind := range kinds {
				before := served.runs.Load()
				err := call(sent(t, pairs...), connection, table.Name, kind)
				ran := served.runs.Load() - before
				if pass && (err != nil || ran != 1) {
					t.Errorf("%s, %s, %q: got %v, handler ran %d times; want it to pass", install.name, kind, pairs, err, ran)
				}
				if !pass && (status.Code(err) != refusal.Code || status.Convert(err).Message() != refusal.Message || ran != 0) {
					t.Errorf("%s, %s, %q: got %v, handler ran %d times; want the rule's refusal", install.name, kind, pairs, err, ran)
				}
			}
		}
	}
}

func TestT11_SeveralValuesAreRefused(t *testing.T) {
	t.Parallel()
	rule := headers(authimpl.Header{Name: "x-key", Equals: "good"})
	accepts(t, rule, []string{"x-key", "good"})
	refuses(t, rule,
		[]string{"x-key", "good", "x-key", "bad"}, []string{"x-key", "bad", "x-key", "good"},
		[]string{"x-key", "good", "x-key", "good"}, []string{"x-key", "", "x-key", "good"},
		[]string{"x-key", "good", "x-key", ""}, []string{"x-key", "good,bad"}, []string{"x-key", "good,good"},
		[]string{"x-key", "good", "x-key", "good", "x-key", "good"},
	)
	refuses(t, headers(authimpl.Header{Name: "x-key", Present: authimpl.String}),
		[]string{"x-key", "a", "x-key", "a"}, []string{"x-key", "a", "x-key", "b"}, []string{"x-key", "", "x-key", ""})
	refuses(t, headers(authimpl.Header{Name: "x-key", In: []string{"a", "b"}}),
		[]string{"x-key", "a", "x-key", "b"}, []string{"x-key", "a,b"})
	refuses(t, headers(authimpl.Header{Name: "x-bin", Present: authimpl.Bytes}),
		[]string{"x-bin", "a", "x-bin", "a"})
	second := headers(authimpl.Header{Name: "x-first", Equals: "1"}, authimpl.Header{Name: "x-key", Equals: "good"})
	accepts(t, second, []string{"x-first", "1", "x-key", "good"})
	refuses(t, second, []string{"x-first", "1", "x-key", "good", "x-key", "good"},
		[]string{"x-first", "1", "x-first", "1", "x-key", "good"})
}

// On the wire, a key in upper case is no HTTP/2: servers reset it. It never reaches a check.
func TestT12_UpperCaseKeysDoNotArrive(t *testing.T) {
	t.Parallel()
	for name, door := range rawDoors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table := guarded("test.v1.Service")
			served := &service{name: table.Name}
			server := newServer(installs[0], table, served)
			reached := door(t, server)
			for _, extra := range [][]field{
				{{Name: "Authorization", Value: "42"}},
				{{Name: "Authorization", Value: "43"}, {Name: "authorization", Value: "42"}},
				{{Name: "authorization", Value: "42"}, {Name: "AUTHORIZATION", Value: "42"}},
			} {
				answer := reached.call(t, "/test.v1.Service/Unary", extra...)
				if !answer.reset || served.runs.Load() != 0 {
					t.Errorf("%v: got %v, handler ran %d times", extra, answer, served.runs.Load())
				}
			}
			answer := reached.call(t, "/test.v1.Service/Unary", field{Name: "authorization", Value: "42"})
			if answer.fields["grpc-status"] != "0" {
				t.Errorf("in lower case: got %v", answer)
			}
		})
	}
}

// In one process, keys of any case can be put together by hand. grpc's API finds the lower-case one first,
// and a single one of another case; the package's documentation says so.
func TestT12_MixedCaseInProcessIsAsDocumented(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(guarded("test.v1.Service"), nil)
	for name, test := range map[string]struct {
		md     metadata.MD
		passes bool
	}{
		"only another case":    {metadata.MD{"Authorization": {"42"}}, true},
		"lower case decides":   {metadata.MD{"authorization": {"42"}, "Authorization": {"43"}}, true},
		"lower case refuses":   {metadata.MD{"authorization": {"43"}, "Authorization": {"42"}}, false},
		"repeated in one case": {metadata.MD{"Authorization": {"42", "42"}}, false},
	} {
		ctx := metadata.NewIncomingContext(t.Context(), test.md)
		if _, err := interceptor.Authorize(ctx, "/test.v1.Service/Unary"); (err == nil) != test.passes {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestT14_EmptyValuesAreRefused(t *testing.T) {
	t.Parallel()
	for typ := authimpl.String; typ <= authimpl.Bytes; typ++ {
		name := "x-value"
		if typ == authimpl.Bytes {
			name = "x-bin"
		}
		refuses(t, headers(authimpl.Header{Name: name, Present: typ}), []string{name, ""}, nil)
	}
	refuses(t, headers(authimpl.Header{Name: "x-key", Equals: "good"}), []string{"x-key", ""}, nil)
	refuses(t, headers(authimpl.Header{Name: "x-key", In: []string{"good"}}), []string{"x-key", ""}, nil)
}

func TestT19_TypedValuesAreCanonical(t *testing.T) {
	t.Parallel()
	send := func(values ...string) [][]string {
		var list [][]string
		for _, value := range values {
			list = append(list, []string{"x-n", value})
		}
		return list
	}
	signed := headers(authimpl.Header{Name: "x-n", Present: authimpl.Int64})
	accepts(t, signed, send("0", "7", "-7", "9223372036854775807", "-9223372036854775808")...)
	refuses(t, signed, send("9223372036854775808", "-9223372036854775809", "170141183460469231731687303715884105728",
		"+1", "-0", "07", "-07", " 7", "7 ", "0x7", "0b1", "0o7", "1_000", "1e3", "7.0", "7,0", "--7", "-", "NaN")...)
	unsigned := headers(authimpl.Header{Name: "x-n", Present: authimpl.Uint64})
	accepts(t, unsigned, send("0", "18446744073709551615")...)
	refuses(t, unsigned, send("18446744073709551616", "-1", "-0", "+1", "00", " 1")...)
	boolean := headers(authimpl.Header{Name: "x-n", Present: authimpl.Bool})
	accepts(t, boolean, send("true", "false")...)
	refuses(t, boolean, send("True", "TRUE", "t", "1", "0", "yes", "on", " true", "truefalse")...)
}

// Values that no well-behaved client can send, given to the check directly.
func TestT19_ValuesThatClientsCannotSend(t *testing.T) {
	t.Parallel()
	interceptor := authimpl.NewServerInterceptor(
		tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-n", Present: authimpl.Int64})), nil)
	for _, value := range []string{"٧", "７", "7\n", "\t7", "7\x00", "\u200b7", "−7", "²"} {
		_, err := interceptor.Authorize(arrived(t, "x-n", value), "/test.v1.Service/Unary")
		if status.Code(err) != refusal.Code {
			t.Errorf("%q: got %v", value, err)
		}
	}
}

func TestRefusalsOfEveryCode(t *testing.T) {
	t.Parallel()
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		rule := authimpl.Method{
			Headers: []authimpl.Header{{Name: "x-a", Equals: "1"}},
			Denial:  authimpl.Denial{Code: code, Message: fmt.Sprintf("%d: \"quoted\", é, %%41", code)},
		}
		table := tableFor("test.v1.Service", rule)
		served := &service{name: table.Name}
		connection := installs[int(code)%2].start(t, loopback, authimpl.NewServerInterceptor(table, nil), served)
		for _, kind := range kinds {
			err := call(t.Context(), connection, table.Name, kind)
			if status.Code(err) != code || status.Convert(err).Message() != rule.Denial.Message {
				t.Errorf("%s: got %v, want %v %q", kind, err, code, rule.Denial.Message)
			}
		}
	}
}
