package grpcauth

import (
	"net/url"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// table finds the rule of a method, and tells which services it answers for.
type table struct {
	methods  map[string]*serverRule // by full method
	services []string               // full names
}

func newTable(service *rules.Service) (table, error) {
	compiled, err := rules.Compile(service)
	if err != nil {
		return table{}, err
	}
	listed := table{
		methods:  make(map[string]*serverRule, len(compiled)),
		services: []string{service.Name},
	}
	for _, rule := range compiled {
		listed.methods[rule.FullMethod] = newServerRule(rule)
	}
	return listed, nil
}

// find returns nil for a method that is not listed under exactly this name.
func (t *table) find(fullMethod string) *serverRule {
	return t.methods[fullMethod]
}

// owns is true if the path of a method that is not listed is, or could be taken by somebody for, one of
// a listed service. grpc hands such paths to an UnknownServiceHandler, which may be less exact than grpc:
// so slashes may be missing or doubled, letters percent-encoded or of another case, a query appended.
func (t *table) owns(fullMethod string) bool {
	path, ok := decoded(fullMethod)
	if !ok {
		return true
	}
	for {
		end := strings.IndexAny(path, "/?#;")
		if end < 0 {
			return false // the last segment is the method's name
		}
		for _, service := range t.services {
			if end == len(service) && strings.EqualFold(path[:end], service) {
				return true
			}
		}
		path = path[end+1:]
	}
}

// decoded undoes percent-encoding. It is false for a path that no client of gRPC has a reason to send:
// one that is encoded wrongly, or more often than proxies do it by mistake. Without that bound, a long
// path could cost a pass for each of its characters.
func decoded(path string) (string, bool) {
	const passes = 3
	for range passes {
		if !strings.Contains(path, "%") {
			return path, true
		}
		plain, err := url.PathUnescape(path)
		if err != nil {
			return "", false
		}
		path = plain
	}
	return "", false
}

// serviceOf splits "/package.Service/Method" as strictly as the paths of well-behaved clients are formed.
func serviceOf(fullMethod string) (string, bool) {
	path, ok := strings.CutPrefix(fullMethod, "/")
	if !ok {
		return "", false
	}
	service, method, ok := strings.Cut(path, "/")
	return service, ok && service != "" && method != "" && !strings.Contains(method, "/")
}
