package generator_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	grpcauthv1 "github.com/grpcauth/protoc-gen-go-grpcauth/proto/options/grpcauth/v1"
)

// Rules whose bytes are damaged. Together they use every field of the language, see wholeLanguage in the
// plugin's tests.
var soundRules = []string{
	`headers: {name: "authorization" equals: "42"} denial: {code: CODE_NOT_FOUND message: "no"}`,
	`headers: {name: "x-a" in: {values: "a" values: "b"}} headers: {name: "b-bin" present: {} type: TYPE_BYTES}`,
	`replace: true headers: {name: "x-n" present: {} type: TYPE_UINT64}`,
	`headers: {name: "authorization" bearer: {scopes: "a" scopes: "b"}} headers: {name: "x-u" verify: {} optional: true}`,
	`any_of: {headers: {name: "authorization" verify: {scheme: "DPoP" scopes: "a"}}} any_of: {headers: {name: "authorization" basic: {}}}`,
	`public: true`,
	`guarded_by: "something"`,
}

// The bytes of options are replaced by others: some of a sound rule's, or all. Whatever they say, the generator
// answers with findings or with code that stands the checks of generate; each occurs.
func TestT36_RandomOptionBytes(t *testing.T) {
	t.Parallel()
	const rounds = 1_500
	var sound [][]byte
	for _, rule := range soundRules {
		sound = append(sound, optionBytes(t, rule))
	}
	random := rand.New(rand.NewPCG(31, 38))
	base := briefly(t)
	generated, refused := 0, 0
	for round := range rounds {
		bytes := randomBytes(random, sound)
		tampered := proto.CloneOf(base)
		replaceOptions(tampered, round%3, bytes)
		files, err := generate(t, tampered) // which checks the code
		switch {
		case err == nil && len(files) > 0:
			generated++
		case err != nil && len(files) == 0:
			refused++
			checkPlain(t, err)
		case err != nil:
			t.Errorf("round %d: %x: %d files beside %v", round, bytes, len(files), err)
		}
		if t.Failed() {
			t.Fatalf("round %d: %x", round, bytes)
		}
	}
	if generated < rounds/100 || refused < rounds/100 {
		t.Errorf("%d generated, %d refused: the bytes do not try both", generated, refused)
	}
}

// Every beginning of each rule, at each level.
func TestT36_OptionBytesThatStopAnywhere(t *testing.T) {
	t.Parallel()
	base := briefly(t)
	for _, rule := range soundRules {
		whole := optionBytes(t, rule)
		for length := range whole {
			for level := range 3 {
				tampered := proto.CloneOf(base)
				replaceOptions(tampered, level, whole[:length])
				if _, err := generate(t, tampered); err != nil {
					checkPlain(t, err)
				}
			}
		}
	}
}

// briefly is a request in which imported files have no positions and comments: the manual of the option language
// would be most of it.
func briefly(t *testing.T) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	made := request(t, withRule("public: true"))
	for _, file := range made.GetProtoFile() {
		if file.GetName() != "a.proto" {
			file.SourceCodeInfo = nil
		}
	}
	return made
}

// optionBytes are those of a rule, as a compiler sends them.
func optionBytes(t *testing.T, rule string) []byte {
	t.Helper()
	compiled := request(t, withRule(rule))
	method := compiled.GetProtoFile()[len(compiled.GetProtoFile())-1].GetService()[0].GetMethod()[0]
	whole := method.GetOptions().ProtoReflect().GetUnknown()
	number, typ, length := protowire.ConsumeTag(whole)
	if number != grpcauthv1.E_Method.TypeDescriptor().Number() || typ != protowire.BytesType {
		t.Fatalf("%q: the options begin with field %d", rule, number)
	}
	value, end := protowire.ConsumeBytes(whole[length:])
	if end < 0 {
		t.Fatal(protowire.ParseError(end))
	}
	return value
}

// randomBytes are a sound rule's with some replaced, cut out, or followed by another rule's; or all by chance.
func randomBytes(random *rand.Rand, sound [][]byte) []byte {
	pick := func() []byte { return append([]byte(nil), sound[random.IntN(len(sound))]...) }
	bytes := pick()
	switch random.IntN(4) {
	case 0:
		bytes = bytes[:random.IntN(len(bytes)+1)]
		for i := range bytes {
			bytes[i] = byte(random.Uint32())
		}
	case 1:
		bytes = append(bytes, pick()...) // the wire format merges them
	case 2:
		from := random.IntN(len(bytes))
		bytes = append(bytes[:from], bytes[min(len(bytes), from+1+random.IntN(4)):]...)
	default:
		for range 1 + random.IntN(3) {
			bytes[random.IntN(len(bytes))] = byte(random.Uint32())
		}
	}
	return bytes
}

// replaceOptions puts bytes in place of the rule at a level: file, service or method.
func replaceOptions(to *pluginpb.CodeGeneratorRequest, level int, bytes []byte) {
	file := to.GetProtoFile()[len(to.GetProtoFile())-1]
	field := func(number protowire.Number) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), bytes)
	}
	switch level {
	case 0:
		file.GetOptions().ProtoReflect().SetUnknown(field(grpcauthv1.E_File.TypeDescriptor().Number()))
	case 1:
		file.GetService()[0].Options = &descriptorpb.ServiceOptions{}
		file.GetService()[0].GetOptions().ProtoReflect().SetUnknown(field(grpcauthv1.E_Service.TypeDescriptor().Number()))
	default:
		file.GetService()[0].GetMethod()[0].Options = &descriptorpb.MethodOptions{}
		file.GetService()[0].GetMethod()[0].GetOptions().ProtoReflect().SetUnknown(field(grpcauthv1.E_Method.TypeDescriptor().Number()))
	}
	if level < 2 { // the method must not hide what an outer level says
		file.GetService()[0].GetMethod()[0].Options = nil
	}
}

// checkPlain checks that findings are lines of text that cannot deceive their reader.
func checkPlain(t *testing.T, err error) {
	t.Helper()
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !strings.HasPrefix(line, "a.proto:") || !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool {
			return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp)
		}) {
			t.Errorf("the finding is not one plain line of text: %q", line)
		}
	}
}
