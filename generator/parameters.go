package generator

import (
	"fmt"
	"strings"
)

// parameters are our own; protogen reads paths, module, M... and the like by itself.
type parameters struct {
	requireAll bool // a service without any rule is an error
}

// protogenParameters are those that protogen.Options.New has read before.
func protogenParameter(name string) bool {
	switch name {
	case "", "paths", "module", "annotate_code", "default_api_level":
		return true
	}
	return strings.HasPrefix(name, "M") || strings.HasPrefix(name, "apilevelM")
}

func parseParameters(text string) (parameters, error) {
	var parsed parameters
	for parameter := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(parameter, "=")
		switch {
		case name == "require_all":
			switch value {
			case "", "true":
				parsed.requireAll = true
			case "false":
				parsed.requireAll = false
			default:
				return parameters{}, fmt.Errorf("parameter require_all: %q is neither true nor false", value)
			}
		case !protogenParameter(name):
			return parameters{}, fmt.Errorf("unknown parameter %q: known are paths, module, M<file>, "+
				"annotate_code and require_all", name)
		}
	}
	return parsed, nil
}
