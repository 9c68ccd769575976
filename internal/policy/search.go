package policy

import "math/bits"

// set is a set of alternatives, or of keys, by position. A rule's alternatives have at most maxHeaders headers.
type set uint64

const _ = uint(64 - maxHeaders) // they fit

// first is the set of the first n.
func first(n int) set { return 1<<n - 1 }

// choice is a key with the ways in which it can arrive, and the alternatives that fail with each of these.
type choice struct {
	key      string
	arrivals []arrival
	fails    []set
	reach    set // alternatives that fail with some of them
}

// failAll returns a call that takes this path and with which all of the alternatives fail, or nil.
func (p *path) failAll(alternatives []*Alternative) *Call {
	checks := map[string][]*Header{}
	var keys []string
	for _, alternative := range alternatives {
		for _, header := range alternative.Headers {
			if checks[header.Name] == nil {
				keys = append(keys, header.Name)
			}
			checks[header.Name] = append(checks[header.Name], header)
		}
	}
	found := &search{taken: make([]int, len(keys)), hopeless: map[state]bool{}}
	for _, key := range keys {
		found.choices = append(found.choices, newChoice(key, p.arrivals(key, checks[key]), alternatives))
	}
	if !found.solve(state{standing: first(len(alternatives)), open: first(len(keys))}) {
		return nil
	}
	chosen := map[string]arrival{}
	for i, one := range found.choices {
		chosen[one.key] = one.arrivals[found.taken[i]]
	}
	return p.call(chosen)
}

// newChoice leaves out arrivals with which no more alternatives fail than with another.
func newChoice(key string, arrivals []arrival, alternatives []*Alternative) choice {
	made := choice{key: key}
	for _, one := range arrivals {
		var fails set
		for i, alternative := range alternatives {
			for _, header := range alternative.Headers {
				if header.Name == key && !header.passes(one) {
					fails |= 1 << i
				}
			}
		}
		made.add(one, fails)
	}
	return made
}

func (c *choice) add(one arrival, fails set) {
	kept := 0
	for i, known := range c.fails {
		if fails&^known == 0 {
			return
		}
		if known&^fails != 0 {
			c.arrivals[kept], c.fails[kept] = c.arrivals[i], known
			kept++
		}
	}
	c.arrivals, c.fails = append(c.arrivals[:kept], one), append(c.fails[:kept], fails)
	c.reach |= fails
}

// search looks for one arrival for each key so that all alternatives fail.
type search struct {
	choices  []choice
	taken    []int // for each choice, the arrival that was taken
	hopeless map[state]bool
}

// state is what is left to do: the alternatives that still stand, and the keys that are not decided.
type state struct{ standing, open set }

func (s *search) solve(at state) bool {
	if at.standing == 0 {
		return true
	}
	if s.hopeless[at] {
		return false
	}
	next, ways := s.next(at)
	for _, way := range ways {
		s.taken[next] = way
		if s.solve(state{at.standing &^ s.choices[next].fails[way], at.open &^ (1 << next)}) {
			return true
		}
	}
	s.hopeless[at] = true
	return false
}

// next returns the open key with the fewest ways, and these. There are none if some alternative cannot fail.
func (s *search) next(at state) (key int, ways []int) {
	var once, twice set // alternatives that one open key can make fail, or more of them
	for left := at.open; left != 0; left &= left - 1 {
		reach := s.choices[bits.TrailingZeros64(uint64(left))].reach
		once, twice = once|reach, twice|once&reach
	}
	if at.standing&^once != 0 {
		return 0, nil
	}
	key = -1
	for left := at.open; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(uint64(left))
		found := s.choices[i].ways(at.standing, at.standing&^twice)
		if key < 0 || len(found) < len(ways) {
			key, ways = i, found
		}
	}
	return key, ways
}

// ways lists the arrivals worth a try: the alternatives that are this key's alone must fail. One with which
// all fail that can is enough.
func (c *choice) ways(standing, alone set) []int {
	var found []int
	alone &= c.reach
	for i, fails := range c.fails {
		if alone&^fails != 0 {
			continue
		}
		if standing&c.reach&^fails == 0 {
			return []int{i}
		}
		found = append(found, i)
	}
	return found
}
