package generator

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/compiler/protogen"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
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
	verifier    string // GreeterVerifier
	credentials string // GreeterCredentials
	rules       string // greeterGrpcauthRules

	slots []*slot // in order of first appearance
	known map[slotKey]*slot
}

// slotKey is what tells slots of a service apart.
type slotKey struct {
	header string
	kind   kind
	scheme string
}

func keyOf(header *policy.Header) slotKey { return slotKey{header.Name, kindOf(header), header.Scheme} }

// slot is a header, by name and kind, whose value is left to run time: a client supplies it, and a handler
// reads it or the application verifies it. See kind.go.
type slot struct {
	header   *policy.Header // where the service says it first
	kind     kind
	field    string // AuthorizationBearer
	accessor string // GreeterXTenantIdFromContext; "" for what is verified
	verifier string // VerifyAuthorizationBearer; "" for what is not
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
		verifier:    goName + "Verifier",
		credentials: goName + "Credentials",
		rules:       lowerFirst(goName) + "GrpcauthRules",
		known:       map[slotKey]*slot{},
	}
	for _, method := range resolved.Methods {
		for header := range method.All() {
			if header.Check == policy.Equals {
				continue // the client supplies a literal by itself, and no handler needs to read it
			}
			slot := named.known[keyOf(header)]
			if slot == nil {
				slot = nameSlot(goName, header)
				named.known[keyOf(header)] = slot
				named.slots = append(named.slots, slot)
			}
			if last := len(slot.methods) - 1; last < 0 || slot.methods[last] != method {
				slot.methods = append(slot.methods, method)
			}
		}
	}
	return named
}

// verified lists the slots that the application verifies.
func (s *service) verified() []*slot {
	var verified []*slot
	for _, slot := range s.slots {
		if slot.kind != value {
			verified = append(verified, slot)
		}
	}
	return verified
}

func nameSlot(service string, header *policy.Header) *slot {
	named := &slot{header: header, kind: kindOf(header), field: camelCase(header.Name)}
	switch named.kind {
	case literal, value:
		named.accessor = service + named.field + "FromContext"
		return named
	case bearer:
		named.field += "Bearer"
	case basic:
		named.field += "Basic"
	case verified:
		named.field += camelCase(header.Scheme)
	}
	named.verifier = "Verify" + named.field
	return named
}

// camelCase makes a Go name of a metadata key or a scheme, as protoc-gen-go makes one of a field's name:
// "x-tenant-id" becomes XTenantId, and "DPoP" stays. Hyphens and dots count as underscores.
func camelCase(key string) string {
	var name strings.Builder
	isLower := func(i int) bool { return i < len(key) && 'a' <= key[i] && key[i] <= 'z' }
	for i := 0; i < len(key); i++ {
		switch c := key[i]; {
		case isLower(i), 'A' <= c && c <= 'Z':
			name.WriteByte(c &^ ('a' - 'A'))
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
