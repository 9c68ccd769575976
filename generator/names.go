package generator

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// file is a file to generate with its resolved services and all Go identifiers.
type file struct {
	source   *protogen.File
	services []*service
}

// service is a resolved service with the Go identifiers of its generated code.
type service struct {
	*policy.Service

	source      *protogen.Service
	goName      string // Greeter
	newServer   string // NewGreeterServerInterceptor
	newClient   string // NewGreeterClientInterceptor
	credentials string // GreeterCredentials
	rules       string // greeterGrpcauthRules

	values []*value // headers whose value a client supplies and a handler reads
}

// value is a header with `present` or `in`, by name, with its Go identifiers.
type value struct {
	header   *policy.Header // where the service says it first
	field    string         // XTenantId
	accessor string         // GreeterXTenantIdFromContext
	goType   string         // int64
	methods  []*policy.Method
}

func nameFile(source *protogen.File, resolved []*policy.Service) *file {
	named := &file{source: source}
	for _, service := range resolved {
		named.services = append(named.services, nameService(source.Services[service.Descriptor.Index()], service))
	}
	return named
}

func nameService(source *protogen.Service, resolved *policy.Service) *service {
	goName := source.GoName
	named := &service{
		Service:     resolved,
		source:      source,
		goName:      goName,
		newServer:   "New" + goName + "ServerInterceptor",
		newClient:   "New" + goName + "ClientInterceptor",
		credentials: goName + "Credentials",
		rules:       lowerFirst(goName) + "GrpcauthRules",
	}
	byHeader := map[string]*value{}
	for _, method := range resolved.Methods {
		for _, header := range method.Headers {
			if header.Check == policy.Equals {
				continue // the client supplies a literal by itself, and no handler needs to read it
			}
			known := byHeader[header.Name]
			if known == nil {
				field := camelCase(header.Name)
				known = &value{
					header:   header,
					field:    field,
					accessor: goName + field + "FromContext",
					goType:   goTypes[header.Type],
				}
				byHeader[header.Name] = known
				named.values = append(named.values, known)
			}
			known.methods = append(known.methods, method)
		}
	}
	return named
}

// goTypes are the Go types of values.
var goTypes = map[grpcauthv1.Type]string{ //nolint:gochecknoglobals // a constant table
	grpcauthv1.Type_TYPE_STRING: "string",
	grpcauthv1.Type_TYPE_INT64:  "int64",
	grpcauthv1.Type_TYPE_UINT64: "uint64",
	grpcauthv1.Type_TYPE_BOOL:   "bool",
	grpcauthv1.Type_TYPE_BYTES:  "[]byte",
}

// camelCase makes a Go name of a metadata key, as protoc-gen-go makes one of a field's name:
// "x-tenant-id" becomes XTenantId. Hyphens and dots count as underscores.
func camelCase(key string) string {
	var name strings.Builder
	isLower := func(i int) bool { return i < len(key) && 'a' <= key[i] && key[i] <= 'z' }
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case isLower(i):
			name.WriteByte(c - 'a' + 'A')
			for isLower(i + 1) {
				i++
				name.WriteByte(key[i])
			}
		case '0' <= c && c <= '9':
			name.WriteByte(c)
		case !isLower(i + 1):
			name.WriteByte('_')
		}
	}
	return name.String()
}

func lowerFirst(name string) string {
	first, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(first)) + name[size:]
}
