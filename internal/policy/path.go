package policy

import "slices"

// path is one way to satisfy a rule: its headers, and those of one alternative if it has any. A call takes it
// if each of these passes, whatever the rule says of other keys, except that no key that the rule names may
// arrive empty or twice.
type path struct {
	headers []*Header
	by      map[string]*Header // the same, by key
	named   map[string]bool    // all keys that the rule names
}

// pathsOf returns the paths of a rule, at least one, and what they have in common.
func pathsOf(m *Method) (trunk *path, paths []*path) {
	if !refuses(m) {
		trunk = &path{}
		return trunk, []*path{trunk}
	}
	named := map[string]bool{}
	for header := range m.All() {
		named[header.Name] = true
	}
	trunk = newPath(named, m.Headers)
	if len(m.AnyOf) == 0 {
		return trunk, []*path{trunk}
	}
	for _, alternative := range m.AnyOf {
		paths = append(paths, newPath(named, slices.Concat(m.Headers, alternative.Headers)))
	}
	return trunk, paths
}

func newPath(named map[string]bool, headers []*Header) *path {
	made := &path{headers: headers, by: map[string]*Header{}, named: named}
	for _, header := range headers {
		made.by[header.Name] = header
	}
	return made
}

// arrival is how a key arrives: not at all, where text is "", or once.
type arrival struct {
	text     string
	verified *Header // whose verifier accepts the text, granting its scopes and no others; nil for none
}

// arrivals returns ways in which a key can arrive on this path. For each way that is left out there is one
// among them with which no more of the checks pass that the other rule has for this key. Where absence is
// possible, it is the first.
func (p *path) arrivals(key string, checks []*Header) []arrival {
	var found []arrival
	header := p.by[key]
	if header == nil || header.Optional {
		found = append(found, arrival{})
	}
	if header == nil { // some text that nobody expects
		header = &Header{Check: Present, Type: textType}
	}
	for _, text := range header.texts(checks) {
		one := arrival{text: text}
		if header.isVerified() {
			one.verified = header
		}
		found = append(found, one)
	}
	return found
}

// passes is true if the header's check lets the arrival pass.
func (h *Header) passes(one arrival) bool {
	switch {
	case one.text == "":
		return h.Optional
	case h.isVerified():
		return h.acceptedWith(one.verified)
	default:
		return h.holds(one.text)
	}
}

// failOne returns a call that takes this path and with which one of the headers fails, or nil.
func (p *path) failOne(headers []*Header) *Call {
	for _, header := range headers {
		for _, one := range p.arrivals(header.Name, []*Header{header}) {
			if !header.passes(one) {
				return p.call(map[string]arrival{header.Name: one})
			}
		}
	}
	return nil
}

// call is a call that takes the path. Keys that are not chosen arrive as the path demands, or not at all.
func (p *path) call(chosen map[string]arrival) *Call {
	made := &Call{Metadata: map[string][]string{}}
	arrives := func(key string, one arrival) {
		if one.text != "" {
			made.Metadata[key] = []string{one.text}
		}
		if one.verified != nil {
			made.Verified = append(made.Verified, one.verified)
		}
	}
	for _, header := range p.headers {
		one, ok := chosen[header.Name]
		if !ok {
			one = p.arrivals(header.Name, nil)[0]
		}
		arrives(header.Name, one)
	}
	for key, one := range chosen {
		if p.by[key] == nil {
			arrives(key, one)
		}
	}
	return made
}

// callWithTwo is a call that takes the path, with two values for a key that the path's rule does not name.
func (p *path) callWithTwo(header *Header) *Call {
	made := p.call(nil)
	text := header.texts(nil)[0]
	made.Metadata[header.Name] = []string{text, text}
	return made
}
