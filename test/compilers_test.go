package test

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

const committedGreeter = "../example/greeter/v1/greeter_grpcauth.pb.go"

// The compilers that users have write what `go generate` committed, apart from the line that names them.
func TestProtocWritesTheCommittedGreeter(t *testing.T) {
	t.Parallel()
	want := withoutLines(read(t, committedGreeter), compilerLine)
	for name, protoc := range protocs(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			mustRun(t, "..", protoc, "-I", "example", "-I", "proto/options",
				"--go-grpcauth_out="+out, "--go-grpcauth_opt=paths=source_relative", "greeter/v1/greeter.proto")
			written := read(t, filepath.Join(out, "greeter/v1/greeter_grpcauth.pb.go"))
			if got := withoutLines(written, compilerLine); got != want {
				t.Errorf("%s writes another file:\n%s", name, got)
			}
			if !strings.Contains(string(written), compilerLine+"                v") {
				t.Errorf("%s is not named in:\n%.300s", name, written)
			}
		})
	}
}

func TestBufWritesTheCommittedCode(t *testing.T) {
	t.Parallel()
	buf := find(t, "GRPCAUTH_BUF", "buf")
	out := t.TempDir()
	mustRun(t, "..", buf, "generate", "-o", out)
	files := 0
	err := filepath.WalkDir(out, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		files++
		committed := filepath.Join("..", strings.TrimPrefix(path, out))
		if !bytes.Equal(read(t, path), read(t, committed)) {
			t.Errorf("buf writes another %s", committed)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const options, greeter, recipes, bank = 1, 3, 3, 3
	if want := options + greeter + recipes + bank; files != want {
		t.Errorf("buf wrote %d files, want %d", files, want)
	}
}

// One service, said in each syntax: the generated code differs in nothing.
func TestEditionsGenerateTheSameCode(t *testing.T) {
	t.Parallel()
	protoc := find(t, "GRPCAUTH_PROTOC", "protoc")
	skipWithoutEditions(t, protoc)
	const service = `
package editions.v1;
%IMPORT% "grpcauth/v1/options.proto";
option go_package = "example.com/editions/v1;editionsv1";
service Thing {
  option (grpcauth.v1.service) = {
    headers: {name: "x-tenant-id" present: {} type: TYPE_INT64}
    denial: {code: CODE_NOT_FOUND}
  };
  rpc Get(Request) returns (Response);
  rpc Watch(Request) returns (stream Response) {
    option (grpcauth.v1.method).public = true;
  }
}
message Request {}
message Response {}
`
	generate := func(t *testing.T, head, importWord string) string {
		t.Helper()
		dir, out := t.TempDir(), t.TempDir()
		write(t, filepath.Join(dir, "thing.proto"), head+strings.Replace(service, "%IMPORT%", importWord, 1))
		mustRun(t, "..", protoc, "-I", dir, "-I", "proto/options", "--go-grpcauth_out="+out,
			"--go-grpcauth_opt=paths=source_relative", "--go_out="+out, "--go_opt=paths=source_relative", "thing.proto")
		return withoutLines(read(t, filepath.Join(out, "thing_grpcauth.pb.go")), compilerLine)
	}
	want := generate(t, `syntax = "proto3";`, "import")
	if !strings.Contains(want, `{Name: "x-tenant-id", Present: authimpl.Int64}`) {
		t.Fatalf("proto3 does not generate the rule:\n%s", want)
	}
	for head, importWord := range map[string]string{
		`syntax = "proto2";`:  "import",
		`edition = "2023";`:   "import",
		`edition = "2024";`:   "import",
		`edition =  "2024" ;`: "import option",
	} {
		t.Run(head+" "+importWord, func(t *testing.T) {
			t.Parallel()
			if got := generate(t, head, importWord); got != want {
				t.Errorf("generates another file:\n%s", got)
			}
		})
	}
}

// wrong.proto has two mistakes at places that compilers record differently precisely.
const wrong = `syntax = "proto3";
package wrong.v1;
import "grpcauth/v1/options.proto";
option go_package = "example.com/wrong/v1;wrongv1";
service Wrong {
  rpc Get(Request) returns (Request) {
    option (grpcauth.v1.method) = {
      headers: {name: "x-key" equals: "1"}
      headers: {name: "X-Key" equals: "1"}
    };
  }
  rpc Put(Request) returns (Request);
}
message Request {}
`

// protoc records where an option begins, buf where the field inside it does.
var (
	protocFindings = "wrong.proto:7:5:" + wrongFindings
	bufFindings    = "wrong.proto:9:7:" + wrongFindings
)

const wrongFindings = ` wrong.v1.Wrong.Get: headers[1].name: "X-Key" must be lower case: "x-key"
wrong.proto:12:3: wrong.v1.Wrong.Put: has no rule, while other methods of its service have: ` +
	`add option (grpcauth.v1.method) with headers, public or guarded_by, or a rule for the whole service`

// Every compiler shows the place of each mistake, exits with an error, and writes nothing.
func TestCompilersReportEveryMistakeAndWriteNothing(t *testing.T) {
	t.Parallel()
	for name, protoc := range protocs(t) {
		t.Run("protoc "+name, func(t *testing.T) {
			t.Parallel()
			dir, out := t.TempDir(), t.TempDir()
			write(t, filepath.Join(dir, "wrong.proto"), wrong)
			printed, err := run(t, "..", protoc, "-I", dir, "-I", "proto/options",
				"--go-grpcauth_out="+out, "wrong.proto")
			checkRefusal(t, printed, err, protocFindings, out)
		})
	}
	t.Run("buf", func(t *testing.T) {
		t.Parallel()
		buf := find(t, "GRPCAUTH_BUF", "buf")
		dir, out := t.TempDir(), t.TempDir()
		options, err := filepath.Abs("../proto/options/grpcauth/v1/options.proto")
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "wrong.proto"), wrong)
		write(t, filepath.Join(dir, "grpcauth/v1/options.proto"), string(read(t, options)))
		write(t, filepath.Join(dir, "buf.yaml"), "version: v2\n")
		write(t, filepath.Join(dir, "buf.gen.yaml"), `version: v2
plugins:
  - local: protoc-gen-go-grpcauth
    out: gen
`)
		printed, err := run(t, dir, buf, "generate", "--path", "wrong.proto", "-o", out)
		checkRefusal(t, printed, err, bufFindings, out)
	})
}

func checkRefusal(t *testing.T, printed string, err error, want, out string) {
	t.Helper()
	if err == nil {
		t.Error("the compiler reports success")
	}
	if !strings.Contains(printed, want) {
		t.Errorf("printed:\n%s\nwant:\n%s", printed, want)
	}
	if !isEmpty(t, out) {
		t.Error("something was written")
	}
}
