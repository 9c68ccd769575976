package grpcauth

import (
	"strings"
	"sync/atomic"
)

// passing remembers full methods that nobody here decides about, so that a server's other methods are read
// for what they could be taken for once, and not with every call. What is remembered never changes: it
// follows from the names alone. The first method at a place keeps it, so that callers who make up methods
// cannot make it forget, or grow.
type passing [64]atomic.Pointer[string]

// longestPassing bounds what one place holds, in bytes. Longer names are read with every call.
const longestPassing = 256

func (p *passing) holds(fullMethod string) bool {
	held := p.place(fullMethod).Load()
	return held != nil && *held == fullMethod
}

func (p *passing) add(fullMethod string) {
	place := p.place(fullMethod)
	if len(fullMethod) <= longestPassing && place.Load() == nil {
		name := strings.Clone(fullMethod) // the caller's may be part of something large
		place.CompareAndSwap(nil, &name)
	}
}

// place tells most methods of one service, and methods of one name, apart.
func (p *passing) place(fullMethod string) *atomic.Pointer[string] {
	place := uint(len(fullMethod))
	if place > 0 {
		place += uint(fullMethod[place-1]) + uint(fullMethod[place/2]) // of the method's and of the service's name
	}
	return &p[place%uint(len(p))]
}
