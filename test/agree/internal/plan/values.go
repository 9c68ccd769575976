package plan

import (
	"encoding/base64"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Value is what a client supplies: a text, and a user name where the check is Basic.
type Value struct {
	Username string
	Text     string
}

// Right is the value that a service accepts in a header. It depends on the slot alone, and where a list of
// literals is given on that.
func (h *Header) Right(service string) Value { return h.value(service, "right") }

// Narrow is a credential that the service knows, too, and that lacks the last of the scopes.
func (h *Header) Narrow(service string) Value { return h.value(service, "narrow") }

func (h *Header) value(service, salt string) Value {
	random := seeded(service, salt, h.Name, string(h.Slot().Kind), h.Scheme)
	switch h.Check {
	case Equals, In:
		return Value{Text: h.Literals[random.IntN(len(h.Literals))]}
	case Bearer:
		return Value{Text: word(random, visible)}
	case Basic:
		return Value{Username: word(random, letters+" é@"), Text: word(random, letters+`: é"`)}
	case Present, Verify:
	}
	return Value{Text: h.typed(random)}
}

// typed is a value of the header's type as it stands in metadata.
func (h *Header) typed(random *rand.Rand) string {
	const base = 10
	switch h.Type {
	case Int64:
		some := int64(random.Uint64()) //nolint:gosec // any number
		edges := []int64{0, -1, math.MinInt64, math.MaxInt64, some, some}
		return strconv.FormatInt(edges[random.IntN(len(edges))], base)
	case Uint64:
		edges := []uint64{0, math.MaxUint64, random.Uint64(), random.Uint64()}
		return strconv.FormatUint(edges[random.IntN(len(edges))], base)
	case Bool:
		return strconv.FormatBool(random.Uint64()%2 == 0)
	case Bytes:
		return word(random, "\x00\x01\n,\x7f\x80\xff ab=")
	case String:
	}
	if h.Scheme != "" {
		return word(random, visible)
	}
	return word(random, letters) + word(random, visible+" ,") + word(random, letters)
}

const (
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	visible = letters + `!"#$%&'()*+-./:;<=>?@[\]^_{|}~` + "`"
)

// word is long enough that two of them differ.
func word(random *rand.Rand, alphabet string) string {
	const shortest, more = 8, 8
	runes := []rune(alphabet)
	if !isText(alphabet) { // bytes
		runes = runes[:0]
		for i := range len(alphabet) {
			runes = append(runes, rune(alphabet[i]))
		}
	}
	var text strings.Builder
	for range shortest + random.IntN(more) {
		if r := runes[random.IntN(len(runes))]; isText(alphabet) {
			text.WriteRune(r)
		} else {
			text.WriteByte(byte(r)) //nolint:gosec // it was one
		}
	}
	return text.String()
}

func isText(alphabet string) bool { return strings.ToValidUTF8(alphabet, "") == alphabet }

func seeded(parts ...string) *rand.Rand {
	hash := fnv.New64a()
	for _, part := range parts {
		_, _ = hash.Write([]byte(part + "\x00")) // a hash does not fail
	}
	return rand.New(rand.NewPCG(hash.Sum64(), 0)) //nolint:gosec // tests repeat
}

// Wire is the value as it stands in metadata.
func (h *Header) Wire(v Value) string {
	switch h.Check {
	case Bearer:
		return "Bearer " + v.Text
	case Basic:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(v.Username+":"+v.Text))
	case Verify:
		if h.Scheme != "" {
			return h.Scheme + " " + v.Text
		}
	case Equals, In, Present:
	}
	return v.Text
}
