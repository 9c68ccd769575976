package agree

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// greeter is a schema before and after somebody adds rules to Transfer.
func greeter(name, added string) string {
	return `syntax = "proto3";
package greeter.v1;
import "google/protobuf/empty.proto";
import "grpcauth/v1/options.proto";
option go_package = "` + module + "/" + name + `;greeterv1";
service Greeter {
  option (grpcauth.v1.service) = {
    headers: {name: "authorization" bearer: {}}
  };
  rpc SayHello(google.protobuf.Empty) returns (google.protobuf.Empty);
  rpc Transfer(google.protobuf.Empty) returns (google.protobuf.Empty) {
    option (grpcauth.v1.method) = {
      headers: {name: "x-tenant-id" present: {} type: TYPE_INT64}
      ` + added + `
    };
  }
}
`
}

// The same hand-written server and client, beside code that was generated before and after a rule was added. The
// server does not compile: it cannot forget what its new callers show. The client does, and its calls that need
// more than it has fail at home.
func TestServerWithoutANewVerifierDoesNotCompile(t *testing.T) {
	t.Parallel()
	dir := newModule(t)
	for name, added := range map[string]string{
		"before":      "",
		"header":      `headers: {name: "x-api-key" verify: {}}`,
		"alternative": `any_of: {headers: {name: "x-api-key" verify: {}}}`,
		"typed":       `headers: {name: "x-api-key" verify: {} type: TYPE_UINT64}`,
	} {
		generate(t, dir, name, greeter(name, added))
		for _, program := range []string{"server", "client"} {
			source, err := os.ReadFile("testdata/forgotten/" + program + ".go.txt")
			if err != nil {
				t.Fatal(err)
			}
			text := strings.NewReplacer("MODULE", module, "VERSION", name).Replace(string(source))
			write(t, filepath.Join(dir, name, program, "main.go"), text)
		}
	}
	if out, err := goCommand(t, dir, "vet", "./before/..."); err != nil {
		t.Fatalf("before the rule is added: %v\n%s", err, out)
	}
	for _, name := range []string{"header", "alternative", "typed"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkDoesNotCompile(t, dir, name+"/server")
			out, err := goCommand(t, dir, "run", "./"+name+"/client")
			if err != nil {
				t.Fatalf("the client: %v\n%s", err, out)
			}
			checkFailsAtHome(t, out)
		})
	}
}

// checkDoesNotCompile wants one error, which names the missing method.
func checkDoesNotCompile(t *testing.T, dir, program string) {
	t.Helper()
	out, err := goCommand(t, dir, "build", "-o", os.DevNull, "./"+program)
	if err == nil {
		t.Errorf("%s compiles", program)
		return
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	const want = "cannot use keys{} (value of struct type keys) as greeterv1.GreeterVerifier value in argument to " +
		"greeterv1.NewGreeterServerInterceptor: keys does not implement greeterv1.GreeterVerifier " +
		"(missing method VerifyXApiKey)"
	place := regexp.MustCompile(`^` + regexp.QuoteMeta(program) + `/main\.go:[0-9]+:[0-9]+: `)
	const packageAndError = 2
	if len(lines) != packageAndError || lines[0] != "# "+module+"/"+program || place.ReplaceAllString(lines[1], "") != want {
		t.Errorf("the compiler says:\n%s\nwant one error:\n%s", out, want)
	}
}

// checkFailsAtHome wants that only the call with the new rule fails before anything is sent, and says what to do.
func checkFailsAtHome(t *testing.T, out string) {
	t.Helper()
	hello, transfer, _ := strings.Cut(strings.TrimSpace(out), "\n")
	if !strings.HasPrefix(hello, "SayHello rpc error: code = Unavailable") || !strings.Contains(hello, "nobody is there") {
		t.Errorf("a method without a new rule: %s; want a call to a server that is not there", hello)
	}
	if !strings.HasPrefix(transfer, "Transfer rpc error: code = Unauthenticated desc = grpcauth: /greeter.v1.Greeter/Transfer") ||
		!strings.Contains(transfer, "set GreeterCredentials.XApiKey") || strings.Contains(transfer, "s3cr3t") {
		t.Errorf("the method with the new rule: %s; want a local failure that names GreeterCredentials.XApiKey", transfer)
	}
}
