package generator_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/compiler/protogen"
)

// What generated code may consist of. All that the tests of this package generate is parsed and compared with
// these lists, see generate.
var (
	allowedImports = []string{
		"context", "google.golang.org/grpc/codes",
		"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth",
		"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl",
	}
	// SERVICE stands for the Go name of a service of the file, service for that with a small first letter.
	allowedDeclarations = []string{
		"const _", "var serviceGrpcauthRules", "type SERVICECredentials", "type SERVICEVerifier",
		"func NewSERVICEServerInterceptor", "func NewSERVICEClientInterceptor", `func SERVICE\w+FromContext`,
	}
	allowedStatements = []string{"*ast.BlockStmt", "*ast.ReturnStmt", "*ast.ExprStmt"}
)

// problems parses the code that was generated for a file, and lists what is wrong with its imports, declarations,
// statements, calls, comments and characters.
func problems(of *protogen.File, name, code string) []string {
	file, err := parser.ParseFile(token.NewFileSet(), name, code, parser.ParseComments)
	if err != nil {
		return []string{err.Error()}
	}
	var found []string
	wrong := func(format string, args ...any) { found = append(found, name+": "+fmt.Sprintf(format, args...)) }
	if file.Name.Name != string(of.GoPackageName) {
		wrong("package %s, want %s", file.Name.Name, of.GoPackageName)
	}
	for _, imported := range file.Imports {
		path, err := strconv.Unquote(imported.Path.Value)
		if err != nil || !slices.Contains(allowedImports, path) || imported.Name.Name == "_" || imported.Name.Name == "." {
			wrong("imports %s as %s", imported.Path.Value, imported.Name)
		}
	}
	for _, declaration := range declarations(file) {
		if !slices.ContainsFunc(of.Services, func(s *protogen.Service) bool { return mayDeclare(s.GoName, declaration) }) {
			wrong("declares %s", declaration)
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if !mayStand(node) {
			wrong("has a %T that it must not have", node)
		}
		return true
	})
	for _, group := range file.Comments {
		for _, comment := range group.List {
			if couldBeDirective(comment.Text) {
				wrong("comment %q could be a directive", comment.Text)
			}
		}
	}
	if !utf8.ValidString(code) {
		wrong("is no UTF-8")
	}
	for _, r := range code {
		if r != '\n' && r != '\t' && unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) {
			wrong("holds %U", r)
		}
	}
	return found
}

// couldBeDirective is true for a comment without a space after its slashes, or of the old form of build tags.
func couldBeDirective(comment string) bool {
	plain := strings.HasPrefix(comment, "// ") || strings.HasPrefix(comment, "//\t") || comment == "//"
	return !plain || strings.HasPrefix(comment, "// +build")
}

func mayDeclare(service, declaration string) bool {
	for _, pattern := range allowedDeclarations {
		pattern = strings.ReplaceAll(pattern, "SERVICE", regexp.QuoteMeta(service))
		pattern = strings.ReplaceAll(pattern, "service", regexp.QuoteMeta(lowerFirst(service)))
		if regexp.MustCompile("^" + pattern + "$").MatchString(declaration) {
			return true
		}
	}
	return false
}

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// mayStand is false for what could run on its own, or call something else than the runtime.
func mayStand(node ast.Node) bool {
	switch node := node.(type) {
	case *ast.FuncLit:
		return false
	case *ast.CallExpr:
		called := node.Fun
		if generic, ok := called.(*ast.IndexExpr); ok {
			called = generic.X
		}
		selector, ok := called.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		of, ok := selector.X.(*ast.Ident)
		return ok && of.Name == "authimpl"
	case ast.Stmt:
		return slices.Contains(allowedStatements, fmt.Sprintf("%T", node))
	default:
		return true
	}
}

// declarations are those of the file: "func F", "func (T) M", "type T", "var v".
func declarations(file *ast.File) []string {
	var found []string
	for _, declaration := range file.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			receiver := ""
			if declaration.Recv != nil {
				receiver = "() " // no method is allowed
			}
			found = append(found, "func "+receiver+declaration.Name.Name)
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				switch spec := spec.(type) {
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						found = append(found, declaration.Tok.String()+" "+name.Name)
					}
				case *ast.TypeSpec:
					found = append(found, "type "+spec.Name.Name)
				}
			}
		}
	}
	return found
}

// The lists are lists: what does not stand in them is noticed.
func TestT31_CodeThatDoesMoreIsNoticed(t *testing.T) {
	t.Parallel()
	files, err := generate(t, request(t, withRule(`headers: {name: "x-a" present: {}}`)))
	if err != nil {
		t.Fatal(err)
	}
	good := files["a_grpcauth.pb.go"]
	a := &protogen.File{GoPackageName: "av1", Services: []*protogen.Service{{GoName: "A"}}}
	noticed := func(code string) bool { return len(problems(a, "a_grpcauth.pb.go", code)) > 0 }
	if noticed(good) {
		t.Fatal("the code is not accepted as it is")
	}
	for _, more := range []string{
		"func init() {}", "var _ = evil()", "func Evil() {}", "func (ACredentials) Evil() {}", "const x = 1", "type B int",
		"//go:generate evil", "//go:build ignore", "// +build ignore", "/* evil */", "//line evil.go:1", "// \u202e",
		"func NewAServerInterceptor2() {}", "func BXFromContext() {}", "}",
		"func AXFromContext() { go authimpl.F() }", "func AXFromContext() { defer authimpl.F() }",
		"func AXFromContext() { context.F() }", "func AXFromContext() { evil() }",
		"func AXFromContext() { for {} }", "func AXFromContext() { _ = 1 }", "var aGrpcauthRules = func() {}",
	} {
		if !noticed(good + "\n" + more + "\n") {
			t.Errorf("%q is not noticed", more)
		}
	}
	for _, change := range [][2]string{
		{`"context"`, `"os"`}, {"context \"context\"", `_ "context"`}, {"context \"context\"", `. "context"`}, {"package av1", "package other"},
	} {
		if !strings.Contains(good, change[0]) || !noticed(strings.Replace(good, change[0], change[1], 1)) {
			t.Errorf("%s in place of %s is not noticed", change[1], change[0])
		}
	}
}
