package peers

import (
	"encoding/json"
	"fmt"

	"google.golang.org/grpc/authz"
)

// Authz is grpc's own authorization with a static policy: the header must have its value on the given methods.
func Authz(literal Literal, fullMethods ...string) (Interceptors, error) {
	type object = map[string]any
	policy, err := json.Marshal(object{
		"name": "bench",
		"allow_rules": []object{{
			"name": "with-the-header",
			"request": object{
				"paths":   fullMethods,
				"headers": []object{{"key": literal.Name, "values": []string{literal.Value}}},
			},
		}},
	})
	if err != nil {
		return Interceptors{}, fmt.Errorf("encode the policy: %w", err)
	}
	static, err := authz.NewStatic(string(policy))
	if err != nil {
		return Interceptors{}, fmt.Errorf("authz: %w", err)
	}
	return Interceptors{Unary: static.UnaryInterceptor, Stream: static.StreamInterceptor}, nil
}
