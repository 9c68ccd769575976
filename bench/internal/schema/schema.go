// Package schema writes the .proto files of the benchmarks that need many methods.
package schema

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/compile"
)

// Set is a set of .proto files: their texts by path.
type Set map[string]string

// Names are the paths of the files, sorted.
func (s Set) Names() []string { return slices.Sorted(maps.Keys(s)) }

// Resolver finds the files of the set, and the option language below the top of the checkout.
func (s Set) Resolver(checkout string) protocompile.Resolver {
	return compile.Sources(s, path.Join(checkout, "proto/options"))
}

const head = `syntax = "proto3";

package %[1]s;

import "grpcauth/v1/options.proto";
%[3]s
option go_package = "%[2]s";
`

// Of these, every method of a hundred services of ten methods is guarded by one header, and so is the one
// method of a service of its own.
const (
	ManyServices = 100
	ManyMethods  = 10
	ManyPackage  = "many.v1"
	ManyFile     = "many.proto"
	ManyGo       = "github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/many"
)

// ManyService is the name of one of the hundred services.
func ManyService(i int) string { return fmt.Sprintf("S%02d", i) }

// ManyMethod is the name of one of their methods.
func ManyMethod(i int) string { return fmt.Sprintf("M%d", i) }

// Many is the file with all of them. Its methods take and return google.protobuf.Empty, so that it needs no code
// but ours.
func Many() Set {
	var text strings.Builder
	fmt.Fprintf(&text, head, ManyPackage, ManyGo, "import \"google/protobuf/empty.proto\";\n")
	service := func(name string, methods int) {
		fmt.Fprintf(&text, "\nservice %s {\n", name)
		text.WriteString("  option (grpcauth.v1.service).headers = " +
			"{name: \"authorization\" equals: \"a-key-of-24-characters-1\"};\n")
		for i := range methods {
			fmt.Fprintf(&text, "  rpc %s(google.protobuf.Empty) returns (google.protobuf.Empty);\n", ManyMethod(i))
		}
		text.WriteString("}\n")
	}
	service("Single", 1)
	for i := range ManyServices {
		service(ManyService(i), ManyMethods)
	}
	return Set{ManyFile: text.String()}
}

// Load is a number of files, each with one service of so many methods, as an application has them: a request
// and a response for each method, comments, a rule for the service, and for some methods one of their own.
func Load(files, methods int) Set {
	set := Set{}
	for i := range files {
		name := fmt.Sprintf("load%04d", i)
		set[name+"/v1/load.proto"] = loadFile(name, methods)
	}
	return set
}

func loadFile(name string, methods int) string {
	var text strings.Builder
	fmt.Fprintf(&text, head, name+".v1", "example.com/"+name+"/v1;"+name+"v1", "")
	text.WriteString(`
// Load is a service of many methods.
service Load {
  option (grpcauth.v1.service) = {
    headers: {name: "authorization" bearer: {}}
    denial: {message: "Access denied!"}
  };
`)
	for i := range methods {
		fmt.Fprintf(&text, "\n  // Method%[1]d does what its name says.\n"+
			"  rpc Method%[1]d(Method%[1]dRequest) returns (Method%[1]dResponse)%[2]s\n", i, rule(i))
	}
	text.WriteString("}\n")
	for i := range methods {
		fmt.Fprintf(&text, "\n// Method%[1]dRequest is what Method%[1]d asks for.\n"+
			"message Method%[1]dRequest {\n  string name = 1;\n  int64 count = 2;\n}\n"+
			"\n// Method%[1]dResponse is what Method%[1]d answers.\n"+
			"message Method%[1]dResponse {\n  string text = 1;\n}\n", i)
	}
	return text.String()
}

const (
	public = ` {
    option (grpcauth.v1.method).public = true;
  }`
	tenant = ` {
    option (grpcauth.v1.method).headers = {name: "x-tenant-id" present: {} type: TYPE_INT64};
  }`
)

// rule is what a method of a load adds to the rule of its service: one in ten is public, and two ask for more.
func rule(method int) string {
	const kinds = 10
	switch kind := method % kinds; {
	case kind == 0:
		return public
	case kind <= kinds/5:
		return tenant
	default:
		return ";"
	}
}
