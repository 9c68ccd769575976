package rules

import (
	"context"
	"strings"

	"google.golang.org/grpc/metadata"
)

// incoming is the incoming metadata of one call. It is looked up in the call's context once, and read where it
// is: grpc's own functions look it up for each key, and copy.
type incoming struct {
	ctx context.Context //nolint:containedctx // read here, and not kept
	md  metadata.MD     // not ours to change; nil where only grpc's function can read it
}

// incomingKey is the key of incoming metadata in a context. grpc does not export it, but shows it to every
// context that it asks for its metadata.
var incomingKey = func() any { //nolint:gochecknoglobals // set once
	var asked keyRecorder
	metadata.ValueFromIncomingContext(&asked, "")
	return asked.key
}()

// keyRecorder is a context without values that keeps the last key it was asked for.
type keyRecorder struct {
	context.Context //nolint:containedctx // nil: grpc asks for nothing but a value

	key any
}

func (r *keyRecorder) Value(key any) any {
	r.key = key
	return nil
}

// incomingOf finds the metadata. Should grpc ever keep it in another way, it is read by grpc's own function.
func incomingOf(ctx context.Context) incoming {
	md, _ := ctx.Value(incomingKey).(metadata.MD)
	return incoming{ctx: ctx, md: md}
}

// values returns all values of a key in lower case, as metadata.ValueFromIncomingContext does. Where no key is
// spelled so, one with capital letters counts, which only metadata made in this process can have.
func (i incoming) values(key string) []string {
	if i.md == nil {
		return metadata.ValueFromIncomingContext(i.ctx, key)
	}
	if values, ok := i.md[key]; ok {
		return values
	}
	for spelled, values := range i.md {
		if len(spelled) == len(key) && strings.EqualFold(spelled, key) {
			return values
		}
	}
	return nil
}
