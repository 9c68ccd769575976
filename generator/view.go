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
	Verifier    string
	Credentials string
	Rules       string
	Slots       []slotView
	Verified    []slotView // those of Slots that have a Verify
	Methods     []methodView
	Denial      denialView // of the methods that have none of their own

	ServerComment      []string // lines without the slashes
	PolicyTable        []string // lines of the server's doc comment
	VerifierComment    []string
	CredentialsComment []string
	ClientComment      []string
	SupplyTable        []string // lines of the client's doc comment
}

type slotView struct {
	Header          string // quoted
	Scheme          string // quoted
	Type            goType
	Bearer          bool
	Basic           bool
	Field           string
	FieldPath       string // quoted
	FieldComment    []string
	Accessor        string // "" where there is none
	AccessorComment []string
	Verify          string // "" where there is none
	VerifyComment   []string
	ScopesTable     []string // lines of the verifier method's doc comment
}

type methodView struct {
	FullMethod string // quoted
	Public     bool
	GuardedBy  string // quoted, or ""
	Headers    []headerView
	AnyOf      [][]headerView
	Denial     denialView // zero for the service's, and where nobody is refused
	OneLine    bool
}

type denialView struct {
	Code    string // a name of package codes, or "" in a zero one
	Message string // quoted
}

type headerView struct {
	Name     string // quoted
	Optional bool
	Equals   string // quoted, or ""
	In       string // quoted and separated by commas, or ""
	Present  string // a name of package authimpl, or ""
	Bearer   bool
	Basic    bool
	Verify   string // a name of package authimpl, or ""
	Scheme   string // quoted, or ""
	Scopes   string // quoted and separated by commas, or ""
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
		Verifier:    service.verifier,
		Credentials: service.credentials,
		Rules:       service.rules,

		ServerComment:      serverComment(service),
		PolicyTable:        policyTable(service),
		VerifierComment:    verifierComment(service),
		CredentialsComment: credentialsComment(service),
		ClientComment:      clientComment(service),
		SupplyTable:        supplyTable(service),
	}
	for _, slot := range service.slots {
		seen := viewSlot(service, slot)
		view.Slots = append(view.Slots, seen)
		if slot.verifier != "" {
			view.Verified = append(view.Verified, seen)
		}
	}
	for _, method := range service.Methods {
		seen, denial := viewMethod(fullName, method), viewDenial(method)
		if view.Denial.Code == "" {
			view.Denial = denial
		}
		if denial != view.Denial {
			seen.Denial = denial
		}
		seen.OneLine = len(seen.Headers) <= 1 && len(seen.AnyOf) == 0 && seen.Denial.Code == ""
		view.Methods = append(view.Methods, seen)
	}
	return view
}

func viewSlot(service *service, slot *slot) slotView {
	view := slotView{
		Header:       strconv.Quote(slot.header.Name),
		Scheme:       strconv.Quote(slot.header.Scheme),
		Type:         slot.typeOf(),
		Bearer:       slot.kind == bearer,
		Basic:        slot.kind == basic,
		Field:        slot.field,
		FieldPath:    strconv.Quote(service.credentials + "." + slot.field),
		FieldComment: fieldComment(slot),
		Accessor:     slot.accessor,
		Verify:       slot.verifier,
	}
	if slot.accessor != "" {
		view.AccessorComment = accessorComment(service, slot)
	}
	if slot.verifier != "" {
		view.VerifyComment = verifyComment(slot)
		view.ScopesTable = scopesTable(slot)
	}
	return view
}

func viewMethod(service string, method *policy.Method) methodView {
	view := methodView{
		FullMethod: strconv.Quote("/" + service + "/" + string(method.Descriptor.Name())),
		Public:     method.Access == policy.Public,
		Headers:    viewHeaders(method.Headers),
	}
	if method.Access == policy.Guarded {
		view.GuardedBy = strconv.Quote(method.GuardedBy)
	}
	for _, alternative := range method.AnyOf {
		view.AnyOf = append(view.AnyOf, viewHeaders(alternative.Headers))
	}
	return view
}

// viewDenial is zero for a method that refuses nobody.
func viewDenial(method *policy.Method) (view denialView) {
	if method.Refuses() {
		view.Code = codes.Code(method.Denial.Code).String() //nolint:gosec // checked to be a gRPC code
		view.Message = strconv.Quote(method.Denial.Message)
	}
	return view
}

func viewHeaders(headers []*policy.Header) []headerView {
	views := make([]headerView, 0, len(headers))
	for _, header := range headers {
		view := headerView{
			Name:     strconv.Quote(header.Name),
			Optional: header.Optional,
			Bearer:   header.Check == policy.Bearer,
			Basic:    header.Check == policy.Basic,
			Scopes:   quoteAll(header.Scopes),
		}
		switch header.Check {
		case policy.Equals:
			view.Equals = quoteAll(header.Literals)
		case policy.In:
			view.In = quoteAll(header.Literals)
		case policy.Present:
			view.Present = runtimeTypes[header.Type]
		case policy.Verify:
			view.Verify = runtimeTypes[header.Type]
		case policy.Bearer, policy.Basic:
		}
		if header.Scheme != "" {
			view.Scheme = strconv.Quote(header.Scheme)
		}
		views = append(views, view)
	}
	return views
}

func quoteAll(texts []string) string {
	quoted := make([]string, 0, len(texts))
	for _, text := range texts {
		quoted = append(quoted, strconv.Quote(text))
	}
	return strings.Join(quoted, ", ")
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
