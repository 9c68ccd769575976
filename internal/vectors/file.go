package vectors

import (
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/grpcauth/protoc-gen-go-grpcauth/internal/policy"
)

// The format of testdata/vectors, which its README.md describes field by field.
type (
	// File is one theme.
	File struct {
		Theme    string                     `json:"-"` // the file's name
		findings map[string]policy.Findings // what is wrong with levels, by name

		About         string                               `json:"about"`
		MaxValueBytes int                                  `json:"max_value_bytes"`
		Meddling      bool                                 `json:"meddling"`
		Excepted      bool                                 `json:"excepted"`
		Rules         map[string]*ruleInForce              `json:"rules"`
		Levels        map[string]*statedLevels             `json:"levels"`
		Verifiers     map[string]map[string]scriptedAnswer `json:"verifiers"`
		Cases         []*Case                              `json:"cases"`
	}

	// ruleInForce is a grpcauth.v1.Rule in proto3's JSON form, with the fields' names as in the .proto.
	ruleInForce struct {
		Public    bool                 `json:"public"`
		GuardedBy string               `json:"guarded_by"`
		Headers   []headerInForce      `json:"headers"`
		AnyOf     []alternativeInForce `json:"any_of"`
		Denial    struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"denial"`
	}

	alternativeInForce struct {
		Headers []headerInForce `json:"headers"`
	}

	headerInForce struct {
		Name     string `json:"name"`
		Type     string `json:"type"`
		Optional bool   `json:"optional"`
		Equals   string `json:"equals"`
		In       struct {
			Values []string `json:"values"`
		} `json:"in"`
		Present *struct{}    `json:"present"`
		Bearer  *bearerCheck `json:"bearer"`
		Basic   *struct{}    `json:"basic"`
		Verify  *verifyCheck `json:"verify"`
	}

	bearerCheck struct {
		Scopes []string `json:"scopes"`
	}

	verifyCheck struct {
		Scheme string   `json:"scheme"`
		Scopes []string `json:"scopes"`
	}

	// scriptedAnswer is what a verifier does about one credential.
	scriptedAnswer struct {
		Principal        string       `json:"principal"`
		Scopes           []string     `json:"scopes"`
		ExpiresInSeconds *int         `json:"expires_in_seconds"`
		EditsScopes      bool         `json:"edits_scopes"`
		WaitsForTheEnd   bool         `json:"waits_for_the_end"`
		Context          string       `json:"context"`
		Error            string       `json:"error"`
		Deny             *codeAndText `json:"deny"`
		Status           *codeAndText `json:"status"`
		Unavailable      string       `json:"unavailable"`
		TypedNil         string       `json:"typed_nil"`
		WrappedIn        string       `json:"wrapped_in"`
		Panic            string       `json:"panic"`
	}

	codeAndText struct {
		Code    codes.Code `json:"code"`
		Message string     `json:"message"`
	}

	// Case is one call and all that must be seen of it.
	Case struct {
		Name         string       `json:"name"`
		Rule         string       `json:"rule"`
		Threats      []string     `json:"threats"`
		By           string       `json:"by"`
		Why          string       `json:"why"`
		LastsSeconds float64      `json:"lasts_seconds"`
		Send         []Pair       `json:"send"`
		Asked        []question   `json:"asked"`
		Allowed      *allowedCall `json:"allowed"`
		Refused      *refusedCall `json:"refused"`
		Invalid      string       `json:"invalid"`

		NotOver   map[string]string `json:"not_over"` // why, by transport
		AtGateway *Elsewhere        `json:"at_gateway"`
		AtConnect *Elsewhere        `json:"at_connect"` // a verdict unlike the one of grpc's servers
	}

	// Elsewhere is a verdict unlike the one of grpc's servers, which a door says.
	Elsewhere struct {
		Why     string       `json:"why"`
		Refused *refusedCall `json:"refused"`
	}

	allowedCall struct {
		Values           map[string]Value `json:"values"`
		Principal        string           `json:"principal"`
		ExpiresInSeconds int              `json:"expires_in_seconds"`
	}

	refusedCall struct {
		ByTransport bool        `json:"by_transport"`
		Reason      string      `json:"reason"`
		Header      string      `json:"header"`
		Code        *codes.Code `json:"code"`    // that of the rule's denial if left out
		Message     *string     `json:"message"` // that of the rule's denial if left out
		Error       string      `json:"error"`
	}

	// Pair is a key and its value.
	Pair struct {
		Key   string
		Value Value
	}

	// question is one question to a verifier: [slot, credential] or [slot, credential, principal].
	question struct {
		slot       string
		credential Value
		principal  string // of an earlier verifier, as this one saw it
	}

	// Value is a string, written so or as {"text": …, "then": …, "times": …} for a long one.
	Value string
)

// The ways to make a call.
const (
	ByClient    = ""
	ByWire      = "wire"
	ByInProcess = "in process"
)

// Calls is true for a case that makes a call.
func (c *Case) Calls() bool { return c.Invalid == "" }

// Metadata is what a client sends; loading has shown that there is no error.
func (c *Case) Metadata() metadata.MD {
	sent := metadata.MD{}
	for _, pair := range c.Send {
		value, _ := pair.Unmarked()
		sent.Append(pair.Key, value)
	}
	return sent
}

// lasts is how long the call may take: longer than any expiry of a verifier's, so that these can be told
// from the call's own deadline.
func (c *Case) lasts() time.Duration {
	if c.LastsSeconds > 0 {
		return time.Duration(c.LastsSeconds * float64(time.Second))
	}
	return time.Hour
}
