package plan

import (
	"maps"
	"slices"
)

// Supply says what a client has for one call.
type Supply struct {
	Alternative int    // of which alternative it has the values, beside those of the rule's own headers
	Without     string // a header that it has no value for, nevertheless
	Optional    bool   // it has the values of optional headers
}

// Has is what the client's sources answer for a slot.
func (m *Method) Has(service string, slot Slot, has Supply) (Value, bool) {
	candidates := m.Headers
	if has.Alternative < len(m.AnyOf) {
		candidates = slices.Concat(m.Headers, m.AnyOf[has.Alternative])
	}
	for _, header := range candidates {
		if header.Slot() == slot {
			return header.Right(service), header.Name != has.Without && (has.Optional || !header.Optional)
		}
	}
	return Value{}, false
}

// Sent is the naive client: what it sends, or that it fails before it sends anything.
func (m *Method) Sent(service string, has Supply) (sent map[string]string, ok bool) {
	sent = map[string]string{}
	for _, header := range m.Headers {
		value, there := m.supplied(service, &header, has)
		switch {
		case there:
			sent[header.Name] = header.Wire(value)
		case !header.Optional:
			return nil, false
		}
	}
	if len(m.AnyOf) == 0 {
		return sent, true
	}
next:
	for _, alternative := range m.AnyOf {
		values := map[string]string{}
		for _, header := range alternative {
			value, there := m.supplied(service, &header, has)
			if !there {
				continue next
			}
			values[header.Name] = header.Wire(value)
			if !header.Verified() && !header.allows(value.Text) {
				return nil, false // a value for another alternative, which this one's list lacks
			}
		}
		maps.Copy(sent, values)
		return sent, true
	}
	return nil, false
}

func (m *Method) supplied(service string, header *Header, has Supply) (Value, bool) {
	if header.Check == Equals {
		return header.Right(service), true // known to every client
	}
	return m.Has(service, header.Slot(), has)
}
