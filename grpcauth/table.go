package grpcauth

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// table finds the rule of a method, and tells which services it answers for.
type table struct {
	methods  map[string]*serverRule // by full method
	services []*listedService       // in the order in which they were merged
	passing  *passing               // methods known to be none of these services'
}

// listedService is one service with its own settings.
type listedService struct {
	name     string // full name
	settings *serverSettings
}

func newTable(service *rules.Service, settings *serverSettings, verifiers []rules.Verifier) (table, error) {
	compiled, err := rules.Compile(service)
	if err != nil {
		return table{}, err
	}
	listed := table{
		methods:  make(map[string]*serverRule, len(compiled)),
		services: []*listedService{{name: service.Name, settings: settings}},
		passing:  &passing{},
	}
	var evaluator *rules.Evaluator // of the method before: neighbours often ask for the same
	for _, rule := range compiled {
		if evaluator = evaluator.For(rule); evaluator == nil {
			if evaluator, err = rules.NewEvaluator(rule, verifiers, settings.maxValueBytes); err != nil {
				return table{}, fmt.Errorf("method %q: %w", rule.FullMethod, err)
			}
		}
		listed.methods[rule.FullMethod] = &serverRule{
			fullMethod: rule.FullMethod, evaluator: *evaluator, settings: settings,
		}
	}
	return listed, nil
}

// find returns nil for a method that is not listed under exactly this name.
func (t *table) find(fullMethod string) *serverRule {
	return t.methods[fullMethod]
}

// lists is true for a service of exactly this name.
func (t *table) lists(name string) bool {
	for _, service := range t.services {
		if service.name == name {
			return true
		}
	}
	return false
}

// names are the full names of the services.
func (t *table) names() []string {
	names := make([]string, 0, len(t.services))
	for _, service := range t.services {
		names = append(names, service.name)
	}
	return names
}

// owners returns the services whose method a path that is not listed is, or could be taken for by somebody.
// grpc hands such paths to an UnknownServiceHandler, which may be less exact than grpc: so slashes may be
// missing or doubled, letters percent-encoded or of another case, a query appended. A path that cannot be
// read for certain is taken for one of each service.
func (t *table) owners(fullMethod string) []*listedService {
	const longest = 4096 // that is worth reading
	if len(fullMethod) > longest {
		return t.services
	}
	path, ok := decoded(fullMethod)
	if !ok {
		return t.services
	}
	for {
		end := indexDelimiter(path)
		if end < 0 {
			return nil // the last segment is the method's name
		}
		for i, service := range t.services {
			if end == len(service.name) && strings.EqualFold(path[:end], service.name) {
				return t.services[i : i+1]
			}
		}
		path = path[end+1:]
	}
}

// indexDelimiter is strings.IndexAny(path, "/?#;"), which takes several times as long for so short a text.
func indexDelimiter(path string) int {
	for i := range len(path) {
		switch path[i] {
		case '/', '?', '#', ';':
			return i
		}
	}
	return -1
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
