package transparency

import (
	"context"
	"strings"

	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// serverStatistics are grpc's own, at a server.
type serverStatistics struct{ log *record }

type methodKey struct{}

func (s serverStatistics) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, methodKey{}, info.FullMethodName)
}

func (s serverStatistics) HandleRPC(ctx context.Context, event stats.RPCStats) {
	method, _ := ctx.Value(methodKey{}).(string)
	if !strings.HasPrefix(method, testService) {
		return
	}
	switch event := event.(type) {
	case *stats.InHeader:
		s.log.server.addf("server got compression %q", event.Compression)
	case *stats.End:
		// A compressed call that is cancelled at once is ended by grpc itself, before any interceptor.
		if !strings.Contains(status.Convert(event.Error).Message(), "failed to set send compressor") {
			s.log.count(ended, method)
		}
	}
}

func (s serverStatistics) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return ctx
}
func (s serverStatistics) HandleConn(context.Context, stats.ConnStats) {}

// clientStatistics are grpc's own, at a client.
type clientStatistics struct{ log *record }

func (c clientStatistics) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return ctx
}

func (c clientStatistics) HandleRPC(_ context.Context, event stats.RPCStats) {
	if event, ok := event.(*stats.InHeader); ok {
		c.log.client.addf("client got compression %q", event.Compression)
	}
}

func (c clientStatistics) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return ctx
}
func (c clientStatistics) HandleConn(context.Context, stats.ConnStats) {}
