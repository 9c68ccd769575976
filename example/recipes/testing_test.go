package recipes_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	recipesv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/recipes/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/grpcauthtest"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/secretfile"
)

// How one tests a verifier of one's own: together with the rules, without a server.
func TestVerifierWithItsRules(t *testing.T) {
	t.Parallel()
	var decisions grpcauthtest.Recorder
	interceptor := recipesv1.NewDeskServerInterceptor(newVerifier(), grpcauth.OnDecision(decisions.Record))

	ctx := grpcauthtest.Context(t.Context(), "authorization", "Bearer visitor")
	_, err := interceptor.Authorize(ctx, recipesv1.Desk_WithToken_FullMethodName)
	if status.Code(err) != codes.PermissionDenied {
		t.Errorf("a token without the scope: %v", err)
	}
	decisions.WantLast(t, grpcauth.ScopeMissing, "authorization")
}

// Shadow mode: what would have been refused passes, and is reported.
func TestShadowMode(t *testing.T) {
	t.Parallel()
	logger := slog.New(slog.DiscardHandler)
	shadow := grpcauth.ReportOnly(grpcauth.LogDecisions(logger))
	interceptor := recipesv1.NewDeskServerInterceptor(newVerifier(), shadow)
	if _, err := interceptor.Authorize(grpcauthtest.Context(t.Context()), recipesv1.Desk_WithToken_FullMethodName); err != nil {
		t.Errorf("shadow mode refuses: %v", err)
	}
}

// Keys in files, at both ends, read again when they change.
func TestKeysFromFiles(t *testing.T) {
	t.Parallel()
	serversFile, clientsFile := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "key")
	put := func(path, content string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path+".new", []byte(content), 0o600), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
	}
	put(serversFile, "old\nnew\n")
	keys, err := secretfile.NewKeys(serversFile)
	if err != nil {
		t.Fatal(err)
	}
	credentials := recipesv1.DeskCredentials{XApiKey: secretfile.Source(clientsFile)}
	for _, test := range []struct {
		key    string
		passes bool
	}{{"old", true}, {"new", true}, {"older", false}} {
		put(clientsFile, test.key)
		key, err := credentials.XApiKey(t.Context(), grpcauth.Call{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := keys.Verify(t.Context(), grpcauth.Call{}, key); (err == nil) != test.passes {
			t.Errorf("%s: %v", test.key, err)
		}
	}
}
