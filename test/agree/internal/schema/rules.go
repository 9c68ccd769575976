package schema

import (
	"math/rand/v2"
	"slices"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/test/agree/internal/plan"
)

const half = 0.5

// writer invents the rules of one schema.
type writer struct {
	*rand.Rand

	pool []identity
}

func (w *writer) chance(of float64) bool { return w.Float64() < of }

// rule is any rule that may stand within what the outer levels say.
func (w *writer) rule(outer state) *rule {
	const onlyDenies = 0.15
	if w.chance(onlyDenies) {
		made := &rule{}
		w.deny(made)
		return made
	}
	return w.requirement(outer)
}

// requirement is a rule that says who may call.
func (w *writer) requirement(outer state) *rule {
	const public, guarded, replaces, denies = 0.12, 0.18, 0.4, 0.4
	made := &rule{}
	switch at := w.Float64(); {
	case at < public:
		made.public = true
		made.headers = w.headers(w.IntN(3), nil, true) //nolint:mnd // up to two
		return w.maybeDeny(made, len(made.headers) > 0)
	case at < guarded:
		made.guardedBy = w.text()
		return made
	case at < replaces:
		made.replace = true
		outer = state{}
	}
	taken := outer.names()
	if len(outer.anyOf) == 0 && w.chance(half) {
		made.headers = w.headers(w.IntN(3), taken, w.chance(half)) //nolint:mnd // none to two
		for _, header := range made.headers {
			taken = append(taken, header.Name)
		}
		const mostAlternatives = 3
		for range 1 + w.IntN(mostAlternatives) {
			made.anyOf = append(made.anyOf, w.required(taken))
		}
	} else {
		made.headers = w.required(taken)
		for _, header := range made.headers {
			taken = append(taken, header.Name)
		}
		made.headers = append(made.headers, w.headers(w.IntN(2), taken, true)...) //nolint:mnd // none or one
	}
	w.Shuffle(len(made.headers), func(i, j int) {
		made.headers[i], made.headers[j] = made.headers[j], made.headers[i]
	})
	return w.maybeDeny(made, w.chance(denies))
}

func (w *writer) required(taken []string) []plan.Header {
	return w.headers(1+w.IntN(2), taken, false) //nolint:mnd // one or two
}

func (w *writer) maybeDeny(made *rule, denies bool) *rule {
	if denies {
		w.deny(made)
	}
	return made
}

// deny sets a code, a message or both.
func (w *writer) deny(made *rule) {
	const last, ways = 16, 3
	which := w.IntN(ways)
	if which != 0 {
		made.message = w.text()
	}
	if which != 1 {
		made.code = codes.Code(1 + w.IntN(last)) //nolint:gosec // 1 to 16
	}
}

// names are the headers that no level further in may name again.
func (s state) names() []string {
	var names []string
	for _, list := range append([][]plan.Header{s.headers}, s.anyOf...) {
		for _, header := range list {
			names = append(names, header.Name)
		}
	}
	return names
}

// headers are so many, of different names that are not taken.
func (w *writer) headers(count int, taken []string, optional bool) []plan.Header {
	taken = slices.Clone(taken)
	var made []plan.Header
	for range count {
		free := slices.DeleteFunc(slices.Clone(w.pool), func(i identity) bool {
			return slices.Contains(taken, i.name)
		})
		if len(free) == 0 {
			break
		}
		if w.chance(half) { // so that methods and alternatives share names
			const often = 5
			free = free[:min(often, len(free))]
		}
		header := w.header(free[w.IntN(len(free))])
		header.Optional = optional
		made = append(made, header)
		taken = append(taken, header.Name)
	}
	return made
}

// text is what may stand in a denial: quotes and other scripts, too.
func (w *writer) text() string {
	texts := []string{
		"Access denied!", `"no"`, `back\slash`, "Zutritt verweigert: bitte anmelden", "nõ",
		"`%s` ${x} */ // 'it'", "100 %",
	}
	return texts[w.IntN(len(texts))]
}
