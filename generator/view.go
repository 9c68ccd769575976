package generator

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// The views are what templates see: strings that are ready to print. Text from the schema is a Go
// literal already, made by strconv.Quote, or an identifier.

type fileView struct {
	GeneratorVersion string
	CompilerVersion  string
	Source           string
	Package          string
	Services         []serviceView
}

type serviceView struct {
	FullName    string // greeter.v1.Greeter
	QuotedName  string
	NewServer   string
	NewClient   string
	Credentials string
	Rules       string
	Values      []valueView
	Methods     []methodView

	ServerComment      []string // lines without the slashes
	PolicyTable        []string // lines of the server's doc comment
	CredentialsComment []string
	ClientComment      []string
	SupplyTable        []string // lines of the client's doc comment
}

type valueView struct {
	Header          string // quoted
	Field           string
	FieldPath       string // quoted
	FieldComment    []string
	Accessor        string
	AccessorComment []string
	GoType          string
	Rules           string
}

type methodView struct {
	FullMethod string // quoted
	Public     bool
	GuardedBy  string // quoted, or ""
	Headers    []headerView
	Code       string // a name of package codes
	Message    string // quoted
}

type headerView struct {
	Name    string // quoted
	Equals  string // quoted, or ""
	In      string // quoted and separated by commas, or ""
	Present string // a name of package authimpl
}

func viewFile(plugin *protogen.Plugin, file *file) fileView {
	view := fileView{
		GeneratorVersion: Version,
		CompilerVersion:  compilerVersion(plugin.Request.GetCompilerVersion()),
		Source:           file.source.Desc.Path(),
		Package:          string(file.source.GoPackageName),
	}
	for _, service := range file.services {
		view.Services = append(view.Services, viewService(service))
	}
	return view
}

func viewService(service *service) serviceView {
	fullName := string(service.Descriptor.FullName())
	view := serviceView{
		FullName:    fullName,
		QuotedName:  strconv.Quote(fullName),
		NewServer:   service.newServer,
		NewClient:   service.newClient,
		Credentials: service.credentials,
		Rules:       service.rules,

		ServerComment: wrap(fmt.Sprintf("%s returns the check that %s asks for: a call that lacks what its method "+
			"requires is refused before the handler runs.", service.newServer, fullName)),
		PolicyTable: policyTable(service),
		CredentialsComment: wrap(fmt.Sprintf("%s holds where a client of %s gets the values that are left to run "+
			"time. A field left nil means that this client has none: a call that needs it fails locally.",
			service.credentials, fullName)),
		ClientComment: wrap(fmt.Sprintf("%s returns what supplies the metadata that %s requires, to the methods "+
			"that require it and to no others.", service.newClient, fullName)),
		SupplyTable: supplyTable(service),
	}
	for _, value := range service.values {
		view.Values = append(view.Values, viewValue(service, value))
	}
	for _, method := range service.Methods {
		view.Methods = append(view.Methods, viewMethod(fullName, method))
	}
	return view
}

func viewValue(service *service, value *value) valueView {
	methods := methodNames(value.methods)
	return valueView{
		Header:    strconv.Quote(value.header.Name),
		Field:     value.field,
		FieldPath: strconv.Quote(service.credentials + "." + value.field),
		FieldComment: wrap(fmt.Sprintf("%s supplies %s (%s) to %s.",
			value.field, value.header.Name, value.goType, methods)),
		Accessor: value.accessor,
		AccessorComment: wrap(fmt.Sprintf("%s returns the %s of the call, for the handlers of %s. "+
			"It is false unless the check of %s ran on this call and its rule contains the header.",
			value.accessor, value.header.Name, methods, service.Descriptor.FullName())),
		GoType: value.goType,
		Rules:  service.rules,
	}
}

func viewMethod(service string, method *policy.Method) methodView {
	view := methodView{
		FullMethod: strconv.Quote("/" + service + "/" + string(method.Descriptor.Name())),
		Public:     method.Access == policy.Public,
		Code:       codes.Code(method.Denial.Code).String(), //nolint:gosec // checked to be a gRPC code
		Message:    strconv.Quote(method.Denial.Message),
	}
	if method.Access == policy.Guarded {
		view.GuardedBy = strconv.Quote(method.GuardedBy)
	}
	for _, header := range method.Headers {
		view.Headers = append(view.Headers, viewHeader(header))
	}
	return view
}

func viewHeader(header *policy.Header) headerView {
	view := headerView{Name: strconv.Quote(header.Name)}
	quoted := make([]string, 0, len(header.Literals))
	for _, literal := range header.Literals {
		quoted = append(quoted, strconv.Quote(literal))
	}
	switch header.Check {
	case policy.Equals:
		view.Equals = quoted[0]
	case policy.In:
		view.In = strings.Join(quoted, ", ")
	case policy.Present:
		view.Present = runtimeTypes[header.Type]
	}
	return view
}

// runtimeTypes are the names of the types in package authimpl.
var runtimeTypes = map[grpcauthv1.Type]string{ //nolint:gochecknoglobals // a constant table
	grpcauthv1.Type_TYPE_STRING: "String",
	grpcauthv1.Type_TYPE_INT64:  "Int64",
	grpcauthv1.Type_TYPE_UINT64: "Uint64",
	grpcauthv1.Type_TYPE_BOOL:   "Bool",
	grpcauthv1.Type_TYPE_BYTES:  "Bytes",
}

var plainSuffix = regexp.MustCompile(`^-?[0-9A-Za-z.-]*$`)

// compilerVersion is spelled as protoc-gen-go spells it. The suffix is free text of the request.
func compilerVersion(version *pluginpb.Version) string {
	if version == nil {
		return "(unknown)"
	}
	suffix := version.GetSuffix()
	if !plainSuffix.MatchString(suffix) {
		suffix = ""
	}
	if suffix != "" && !strings.HasPrefix(suffix, "-") {
		suffix = "-" + suffix
	}
	return fmt.Sprintf("v%d.%d.%d%s", version.GetMajor(), version.GetMinor(), version.GetPatch(), suffix)
}
