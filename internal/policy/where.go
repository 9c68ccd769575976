package policy

import (
	"iter"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Headers goes through the headers that the rules of a file state and that are right, each where it is
// stated, whether or not a rule further in drops it.
func (f *File) Headers() iter.Seq[*Header] {
	return func(yield func(*Header) bool) {
		if !f.rule.eachHeader(yield) {
			return
		}
		for _, service := range f.Services {
			if !service.rule.eachHeader(yield) {
				return
			}
			for _, method := range service.Methods {
				if !method.levels[methodLevel].eachHeader(yield) {
					return
				}
			}
		}
	}
}

// eachHeader returns false if the loop is to end.
func (l *level) eachHeader(yield func(*Header) bool) bool {
	for _, header := range l.headers {
		if !yield(header) {
			return false
		}
	}
	for _, alternative := range l.anyOf {
		for _, header := range alternative.Headers {
			if !yield(header) {
				return false
			}
		}
	}
	return true
}

// Finding says something about a header, where it is stated.
func (h *Header) Finding(format string, args ...any) Finding { return h.at.finding(format, args...) }

// FindingAtAccess says something about a method, at the rule that decides who may call it: the innermost that
// says more than a denial.
func FindingAtAccess(method *Method, format string, args ...any) Finding {
	for i := methodLevel; i >= fileLevel; i-- {
		if own := method.levels[i]; own.drops() || mentions(own.stated) {
			return method.findingAt(i, format, args...)
		}
	}
	return FindingAt(method.Descriptor, format, args...)
}

// FindingAtChange says what has become of a method since an earlier version, at the rule that did it: the
// innermost one whose undoing alone would make holds true of the earlier and the resulting version, or else the
// innermost one that changed. A rule that is gone stood in the service or method that is still there, or beside
// the file's package.
func FindingAtChange(
	before, after *Method, holds func(before, after *Method) bool, format string, args ...any,
) Finding {
	changed := -1
	for i := methodLevel; i >= fileLevel; i-- {
		if proto.Equal(before.levels[i].stated, after.levels[i].stated) {
			continue
		}
		if changed < 0 {
			changed = i
		}
		if undone := after.with(i, before.levels[i]); !undone.Broken && holds(before, undone) {
			return after.findingAt(i, format, args...)
		}
	}
	if changed < 0 {
		return FindingAt(after.Descriptor, format, args...)
	}
	return after.findingAt(changed, format, args...)
}

// with is the method with another rule at one level.
func (m *Method) with(index int, other *level) *Method {
	levels := m.levels
	levels[index] = other
	var sum requirement
	for _, own := range levels {
		sum, _ = sum.add(*own)
	}
	return sum.method(m.Descriptor, levels)
}

// findingAt speaks of the method at the place of one of its levels.
func (m *Method) findingAt(index int, format string, args ...any) Finding {
	at := m.levels[index].at
	if m.levels[index].stated == nil {
		const filePackage = 2
		service, _ := m.Descriptor.Parent().(protoreflect.ServiceDescriptor)
		at = [levelCount]place{
			filePlace(m.Descriptor.ParentFile()).sub(filePackage), servicePlace(service), methodPlace(m.Descriptor),
		}[index]
	}
	at.element = string(m.Descriptor.FullName())
	return at.finding(format, args...)
}
