package vectors

import "strings"

// Over is the case as a door sees it over a transport, with the verdict that the case states for that door, if any.
// It is nil if the transport does not carry it. Transports are named "protocol over HTTP/version"; a case may name the
// whole or either part.
func (c *Case) Over(transport string, atDoor *Elsewhere) *Case {
	protocol, version, _ := strings.Cut(transport, " over ")
	for _, lost := range []string{transport, protocol, version} {
		if c.NotOver[lost] != "" {
			return nil
		}
	}
	if atDoor == nil {
		return c
	}
	here := *c
	here.Allowed, here.Refused, here.Asked = nil, atDoor.Refused, nil
	return &here
}
