package agree

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/property"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/schema"
	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/tables"
)

const options = "../../proto/options" // where grpcauth/v1/options.proto is

// sets is the number of random schemas to check. GRPCAUTH_AGREE_SETS sets another, GRPCAUTH_AGREE_SEED where to
// begin.
func sets(t *testing.T, usual int) (first uint64, count int) {
	t.Helper()
	number := func(variable string, otherwise int) int {
		text := os.Getenv(variable)
		if text == "" {
			return otherwise
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			t.Fatalf("%s must be a number, not %q", variable, text)
		}
		return n
	}
	if testing.Short() || raced {
		usual /= 10
	}
	return uint64(number("GRPCAUTH_AGREE_SEED", 1)), number("GRPCAUTH_AGREE_SETS", usual)
}

// With what the rules demand, every call passes; with one header removed, doubled or altered, it is refused; and
// no other method and no other service on the connection sees the header.
func TestBothEndsAgreeOnRandomRules(t *testing.T) { //nolint:tparallel // the seeds are, in their group
	t.Parallel()
	const usual = 150
	first, count := sets(t, usual)
	checkSets(t, first, count, func(t *testing.T, set *plan.Set, ends []property.Ends) property.Tally {
		t.Helper()
		return property.Check(t, set, ends)
	})
}

func TestT27_BothEndsAgreeOnWhoSeesHeadersOnOneConnection(t *testing.T) { //nolint:tparallel // the seeds are, in their group
	t.Parallel()
	const usual, calls = 30, 10
	first, count := sets(t, usual)
	checkSets(t, first, count, func(t *testing.T, set *plan.Set, ends []property.Ends) property.Tally {
		t.Helper()
		if len(ends) == 0 {
			return property.Tally{}
		}
		return property.CheckTogether(t, set, ends, calls)
	})
}

// checkSets checks the schemas of so many seeds. Those that happen to be invalid are passed over, and must be few.
func checkSets(
	t *testing.T, first uint64, count int, check func(*testing.T, *plan.Set, []property.Ends) property.Tally,
) {
	t.Helper()
	began := time.Now()
	var mutex sync.Mutex
	var tally property.Tally
	valid, methods := 0, 0
	t.Run("seed", func(t *testing.T) {
		for seed := first; seed < first+uint64(count); seed++ {
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				set := resolve(t, seed)
				if set == nil {
					return
				}
				var ends []property.Ends
				for i := range set.Services {
					ends = append(ends, tables.Ends(&set.Services[i]))
				}
				counted := check(t, set, ends)
				if t.Failed() {
					t.Logf("GRPCAUTH_AGREE_SEED=%d GRPCAUTH_AGREE_SETS=1 repeats it:\n%s", seed, schema.Random(seed).Text("example.com"))
				}
				mutex.Lock()
				defer mutex.Unlock()
				tally.Add(counted)
				valid++
				for i := range set.Services {
					methods += len(set.Services[i].Methods)
				}
			})
		}
	})
	t.Logf("%d of %d schemas are valid, with %d methods; %v in %v", valid, count, methods, &tally, time.Since(began).Round(time.Millisecond))
	const enough, ofTen = 6, 10
	if !t.Failed() && valid*ofTen < count*enough {
		t.Errorf("only %d of %d schemas are valid", valid, count)
	}
}

// resolve returns what the schema of a seed demands according to package policy, or nil if it is invalid. The
// schema itself knows, too.
func resolve(t *testing.T, seed uint64) *plan.Set {
	t.Helper()
	file := schema.Random(seed)
	request := request(t, map[string]string{"a.proto": file.Text("example.com")}, "", "a.proto")
	plugin, err := protogen.Options{}.New(request)
	if err != nil {
		t.Fatal(err)
	}
	services, findings := policy.Resolve(plugin.FilesByPath["a.proto"].Desc, false)
	if len(findings) > 0 {
		return nil
	}
	set := file.Plan()
	if resolved := tables.Plan(services); !reflect.DeepEqual(set.Services, resolved) {
		t.Fatalf("seed %d: policy and the naive sum of levels disagree; got:\n%s\nwant:\n%s\nin:\n%s",
			seed, spell(resolved), spell(set.Services), file.Text("example.com"))
	}
	return set
}

func spell(services []plan.Service) string {
	var text string
	for _, service := range services {
		for i := range service.Methods {
			text += fmt.Sprintf("%+v\n", service.Methods[i])
		}
	}
	return text
}

func request(t *testing.T, texts map[string]string, parameter string, files ...string) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	compiled, err := compile.Request(t.Context(), compile.Sources(texts, options), parameter, files...)
	if err != nil {
		t.Fatalf("%v\n%v", err, texts)
	}
	return compiled
}
