package grpcauth_test

import (
	"slices"
	"strconv"
	"testing"

	"google.golang.org/grpc"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// behindEveryDoor runs a test with each installation behind each door that frames go through.
func behindEveryDoor(t *testing.T, rule authimpl.Method, test func(t *testing.T, door rawDoor, served *service)) {
	t.Helper()
	for _, install := range installs {
		for name, door := range rawDoors {
			t.Run(install.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				table := tableFor("test.v1.Service", rule)
				served := &service{name: table.Name}
				test(t, door(t, newServer(install, table, served)), served)
			})
		}
	}
}

// rawRefuses sends each list of fields to a method of each kind. The rule refuses it, or the transport does
// before, which is for it to say where byTransport is set; the handler does not run.
func rawRefuses(t *testing.T, door rawDoor, served *service, byTransport bool, tried ...[]field) {
	t.Helper()
	for _, fields := range tried {
		for _, kind := range kinds {
			answer := door.call(t, "/"+served.name+"/"+string(kind), fields...)
			refused := answer.fields["grpc-status"] == strconv.Itoa(int(refusal.Code))
			if byTransport {
				refused = answer.fields["grpc-status"] != "0"
			}
			if !refused || served.runs.Load() != 0 {
				t.Fatalf("%s, %.100v: %v, handlers ran %d times", kind, fields, answer, served.runs.Load())
			}
		}
	}
}

// rawAccepts shows that the frames are not what is refused.
func rawAccepts(t *testing.T, door rawDoor, served *service, fields ...field) {
	t.Helper()
	before := served.runs.Load()
	for _, kind := range kinds {
		if answer := door.call(t, "/"+served.name+"/"+string(kind), fields...); answer.fields["grpc-status"] != "0" {
			t.Errorf("%s, %v: %v", kind, fields, answer)
		}
	}
	if ran := served.runs.Load() - before; ran != int64(len(kinds)) {
		t.Errorf("%v: handlers ran %d times, want once for each kind", fields, ran)
	}
}

func TestT11_RepeatedKeysOnTheWireAreRefused(t *testing.T) {
	t.Parallel()
	key := func(values ...string) []field {
		var fields []field
		for _, value := range values {
			fields = append(fields, field{Name: "x-key", Value: value})
		}
		return fields
	}
	good := field{Name: "x-key", Value: "good"}
	behindEveryDoor(t, headers(authimpl.Header{Name: "x-key", Equals: "good"}), func(t *testing.T, door rawDoor, served *service) {
		t.Helper()
		rawRefuses(t, door, served, false,
			key("good", "bad"), key("bad", "good"), key("good", "good"), key("", "good"), key("good", ""), key("", ""),
			key("good,bad"), key("good, good"), key("good", "good", "good"), key(slices.Repeat([]string{"good"}, 500)...),
			[]field{good, {Name: "x-other", Value: "1"}, good},             // not side by side
			[]field{good, {Name: "x-key", Value: "good", Sensitive: true}}, // never indexed by HPACK
		)
		rawAccepts(t, door, served, good)
	})
}

func TestT14_EmptyAndBlankValuesOnTheWireAreRefused(t *testing.T) {
	t.Parallel()
	blank := []string{"", " ", "   ", "\t", " \t "}
	key := func(name string, values ...string) [][]field {
		var tried [][]field
		for _, value := range values {
			tried = append(tried, []field{{Name: name, Value: value}})
		}
		return tried
	}
	behindEveryDoor(t, headers(authimpl.Header{Name: "x-key", Equals: "good"}), func(t *testing.T, door rawDoor, served *service) {
		t.Helper()
		rawRefuses(t, door, served, false, key("x-key", append(blank, " good", "good ", "good\t", "\tgood")...)...)
		rawAccepts(t, door, served, field{Name: "x-key", Value: "good"})
	})
	behindEveryDoor(t, headers(authimpl.Header{Name: "x-n", Present: authimpl.Int64}), func(t *testing.T, door rawDoor, served *service) {
		t.Helper()
		rawRefuses(t, door, served, false, key("x-n", append(blank, " 7", "7 ", "7\t")...)...)
		rawAccepts(t, door, served, field{Name: "x-n", Value: "7"})
	})
	behindEveryDoor(t, headers(authimpl.Header{Name: "x-data-bin", Present: authimpl.Bytes}), func(t *testing.T, door rawDoor, served *service) {
		t.Helper()
		rawRefuses(t, door, served, false, key("x-data-bin", "")...)
		rawRefuses(t, door, served, true, key("x-data-bin", blank...)...) // which is no base64
	})
}

func TestT17_BrokenBase64OnTheWireIsRefused(t *testing.T) {
	t.Parallel()
	behindEveryDoor(t, headers(authimpl.Header{Name: "x-data-bin", Present: authimpl.Bytes}), func(t *testing.T, door rawDoor, served *service) {
		t.Helper()
		for _, broken := range []string{
			"!", "A", "AQI_", "-_8", "AQI=A", "AQI==", "=AQI", "=", "AQ,Ag", "AQ==AQ==", "AQ\tI", "AQ I", "\xff", "é",
		} {
			rawRefuses(t, door, served, true, []field{{Name: "x-data-bin", Value: broken}})
		}
		// Beside a right one, too, and where both are right.
		rawRefuses(t, door, served, true, []field{{Name: "x-data-bin", Value: "AQI"}, {Name: "x-data-bin", Value: "!"}})
		rawRefuses(t, door, served, false, []field{{Name: "x-data-bin", Value: "AQI"}, {Name: "x-data-bin", Value: "AQI="}})
		rawAccepts(t, door, served, field{Name: "x-data-bin", Value: "AQI"})
		rawAccepts(t, door, served, field{Name: "x-data-bin", Value: "AQI="})
	})
}

// By default grpc takes 16 MiB of metadata, and so 100,000 keys. A server that limits them refuses such a call
// before the check.
func TestT42_ALimitOnMetadataStopsManyKeys(t *testing.T) {
	t.Parallel()
	const enough = 16 << 10
	table := guarded("test.v1.Service")
	for _, install := range installs {
		served := &service{name: table.Name}
		interceptor := authimpl.NewServerInterceptor(table, nil)
		server := grpc.NewServer(append(install.options(interceptor), grpc.MaxHeaderListSize(enough))...)
		install.guard(interceptor, server).RegisterService(served.desc(), served)
		reached, right := rawDoors["native"](t, server), field{Name: "authorization", Value: "42"}
		answer := reached.call(t, "/test.v1.Service/Unary", append(manyKeys(), right)...)
		if answer.fields["grpc-status"] == "0" || served.runs.Load() != 0 {
			t.Errorf("%s: %v, handler ran %d times", install.name, answer, served.runs.Load())
		}
		answer = reached.call(t, "/test.v1.Service/Unary", right)
		if answer.fields["grpc-status"] != "0" || served.runs.Load() != 1 {
			t.Errorf("%s, without them: %v, handler ran %d times", install.name, answer, served.runs.Load())
		}
	}
}

// manyKeys are 100,000 keys that no rule names.
func manyKeys() []field {
	const count = 100_000
	fields := make([]field, 0, count)
	for i := range count {
		fields = append(fields, field{Name: "k" + strconv.Itoa(i), Value: "v"})
	}
	return fields
}
