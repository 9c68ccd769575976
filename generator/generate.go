package generator

import (
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// Generate writes <file>_grpcauth.pb.go for every file to generate in which a service has rules.
//
// The error holds all that is wrong, sorted, one line each:
// "path:line:column: element: what is wrong and how to mend it". Nothing is generated then.
func Generate(plugin *protogen.Plugin) error {
	files, err := check(plugin)
	if err != nil {
		return err
	}
	return render(plugin, files)
}

// Check returns the error that Generate would return, and generates nothing.
func Check(plugin *protogen.Plugin) error {
	_, err := check(plugin)
	return err
}

func check(plugin *protogen.Plugin) ([]*file, error) {
	parameters, err := parseParameters(plugin.Request.GetParameter())
	if err != nil {
		return nil, err
	}
	findings := checkPaths(plugin)
	language, err := checkLanguage(plugin)
	if err != nil {
		return nil, err
	}
	if findings = append(findings, language...); len(findings) > 0 {
		return nil, findings // rules read through another language would mean nothing
	}

	var files []*file
	for _, source := range plugin.Files {
		if !source.Generate {
			continue
		}
		services, wrong := policy.Resolve(source.Desc, parameters.requireAll)
		findings = append(findings, wrong...)
		files = append(files, nameFile(source, services))
	}
	findings = append(findings, checkClashes(plugin, files)...)
	if len(findings) > 0 {
		return nil, findings
	}
	return files, nil
}
