package grpcauth

import (
	"context"
	"fmt"
	"log/slog"

	"google.golang.org/grpc/codes"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/internal/rules"
)

// Decision is the outcome of one check, for logs and metrics. It holds no value of a header.
type Decision struct {
	FullMethod string     // "/greeter.v1.Greeter/SayHello"; as sent, the first 256 bytes, if Unlisted
	Header     string     // the metadata key that decided; "" for an allowed or unlisted call
	Reason     Reason     // why
	Code       codes.Code // what the caller gets, or would get without ReportOnly; OK for an allowed call
	Err        error      // the verifier's own error or panic, which stays on the server; else nil
}

// Reason says why a check ended as it did. The zero Reason is none of them.
type Reason uint8

// The ends of a check.
const (
	Allowed        Reason = Reason(rules.Allowed)
	Missing        Reason = Reason(rules.Missing)        // a required header did not arrive
	Repeated       Reason = Reason(rules.Repeated)       // a header arrived more than once
	Malformed      Reason = Reason(rules.Malformed)      // a value is empty, too long, or not of its type or scheme
	Refused        Reason = Reason(rules.Refused)        // a value is not the right one, or its verifier said no
	ScopeMissing   Reason = Reason(rules.ScopeMissing)   // the verifier did not report a scope of the rule
	VerifierFailed Reason = Reason(rules.VerifierFailed) // the verifier could not tell, panicked or misbehaved
	Unlisted       Reason = Reason(rules.Unlisted)       // no rule covers the method
)

// String is the reason in lower case, for logs: "scope missing".
func (r Reason) String() string { return rules.Reason(r).String() }

// LogDecisions is a hook for [OnDecision] and [ReportOnly] that writes one record for each check: allowed
// ones at slog.LevelDebug, refused ones at LevelWarn, failed verifiers at LevelError. The attributes are
// method, reason, code, and where there are any header and error. It panics if logger is nil.
func LogDecisions(logger *slog.Logger) func(context.Context, Decision) {
	if logger == nil {
		panic("grpcauth: LogDecisions needs a logger such as slog.Default(), not nil")
	}
	return func(ctx context.Context, decision Decision) {
		level := slog.LevelWarn
		switch decision.Reason {
		case Allowed:
			level = slog.LevelDebug
		case VerifierFailed:
			level = slog.LevelError
		default:
		}
		if !logger.Enabled(ctx, level) {
			return
		}
		const most = 5
		attributes := make([]slog.Attr, 0, most)
		attributes = append(attributes,
			slog.String("method", decision.FullMethod),
			slog.String("reason", decision.Reason.String()),
			slog.String("code", decision.Code.String()))
		if decision.Header != "" {
			attributes = append(attributes, slog.String("header", decision.Header))
		}
		if decision.Err != nil {
			attributes = append(attributes, slog.String("error", fmt.Sprint(decision.Err))) // survives a typed nil
		}
		logger.LogAttrs(ctx, level, "grpcauth", attributes...)
	}
}
