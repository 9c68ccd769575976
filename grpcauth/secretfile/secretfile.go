// Package secretfile reads the secrets of both ends from files, and again when they change, so that keys
// rotate without a restart. A server accepts the keys of a file with one key per line, a client sends the one
// of a file that holds nothing else:
//
//	keys, err := secretfile.NewKeys("/etc/greeter/keys")       // a verifier's method calls keys.Verify
//	key := secretfile.Source("/var/run/secrets/greeter/key")   // GreeterCredentials{XApiKey: key}
//
// To rotate a key: add the new one to the server's file, change the client's file, remove the old key from
// the server's.
//
// # Files
//
// One newline at the end, "\n" or "\r\n", is no part of a secret, and of keys the one at the end of each line.
// Nothing else is trimmed. A file may have up to 64 KiB and must be a regular one, or a symbolic link to one.
//
// Each call asks the system for the file's identity, size and times, and reads the file again if one of them
// differs from what was last read, or if the file had been changed so shortly before that a second change
// could look the same. There is no watcher and no goroutine. So the new content counts from the first
// call that begins after the change, and the files should be on a local disk or in memory, as mounted
// Kubernetes secrets are: a file system that hangs holds up calls.
//
// Change a file by putting another in its place: write a new one beside it and rename it, as
// Kubernetes does with its symbolic links. A file that is written in place is empty or
// incomplete for a moment, in which the beginning of a key would count as the key.
//
// Linux tells of every change. On other systems, let a new file have a new time of modification: one with the
// time, the size and the inode of the old one is not noticed, nor are permissions that are taken away.
//
// # Failures
//
// What cannot be read counts as no secret, never as the one that was there before: a deleted, empty, unreadable
// or malformed file refuses all callers of a server, and fails all calls of a client that need it, with
// UNAVAILABLE. It is what a moment of a rotation, a mount that is late and a wrong path have in common: nobody
// has looked at a credential, and the same call passes once the file is mended, without a restart. Errors name
// the file and what is wrong with it. They never hold any of its content.
package secretfile

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

var errEmpty = errors.New("it is empty")

// Source supplies the secret that the file holds at the time of each call. The file need not be there before
// the first call that needs it. Calls meanwhile fail locally, with UNAVAILABLE and an error that names the file.
func Source(path string) grpcauth.Source[grpcauth.Secret] {
	return supply(newFile(path, parseSecret))
}

func supply(secret *file[grpcauth.Secret]) grpcauth.Source[grpcauth.Secret] {
	return func(context.Context, grpcauth.Call) (grpcauth.Secret, error) {
		value, err := secret.current()
		if err != nil {
			return grpcauth.Secret{}, &unavailableError{err}
		}
		return value, nil
	}
}

func parseSecret(content string) (grpcauth.Secret, error) {
	secret := cutNewline(content)
	if secret == "" {
		return grpcauth.Secret{}, errEmpty
	}
	return grpcauth.NewSecret(secret), nil
}

// unavailableError is UNAVAILABLE in a client, where gRFC A54 allows it.
type unavailableError struct{ error }

// Unwrap lets errors.Is find [fs.ErrNotExist], say.
func (e *unavailableError) Unwrap() error { return e.error }

// GRPCStatus keeps the code on its way through the client's interceptor.
func (e *unavailableError) GRPCStatus() *status.Status {
	return status.New(codes.Unavailable, e.Error())
}

// Keys are the 1 to 8 keys that a file holds at the moment, one per line. They are safe for concurrent use.
// The zero Keys refuse every caller.
type Keys struct {
	file *file[*grpcauth.SecretSet]
}

// NewKeys reads the file for the first time. A server must not start without its keys: NewKeys fails where
// a later change of the file would refuse all callers.
func NewKeys(path string) (*Keys, error) {
	return accept(newFile(path, parseKeys))
}

func accept(keys *file[*grpcauth.SecretSet]) (*Keys, error) {
	if _, err := keys.current(); err != nil {
		return nil, err
	}
	return &Keys{file: keys}, nil
}

func parseKeys(content string) (*grpcauth.SecretSet, error) {
	var keys []grpcauth.Secret
	for line := range strings.Lines(content) {
		keys = append(keys, grpcauth.NewSecret(cutNewline(line)))
	}
	if len(keys) == 0 {
		return nil, errEmpty
	}
	set := new(grpcauth.SecretSet)
	if err := set.Replace(keys...); err != nil {
		return nil, err
	}
	return set, nil
}

// Verify accepts a value that is one of the keys which the file holds now, and adds nothing to the context.
// It has the shape of a generated verifier's methods, and [grpcauth.SecretSet.Verify] compares. Without
// keys that can be read it fails with [grpcauth.Unavailable]: callers get UNAVAILABLE and a constant text, and
// [grpcauth.OnDecision] the error that names the file.
func (k *Keys) Verify(ctx context.Context, call grpcauth.Call, value grpcauth.Secret) (context.Context, error) {
	if k.file == nil {
		return nil, grpcauth.Unavailable(errors.New("secretfile: Keys without a file: make them with NewKeys"))
	}
	set, err := k.file.current()
	if err != nil {
		return nil, grpcauth.Unavailable(err)
	}
	return set.Verify(ctx, call, value)
}

// cutNewline cuts one newline from the end.
func cutNewline(text string) string {
	line, cut := strings.CutSuffix(text, "\n")
	if !cut {
		return text
	}
	return strings.TrimSuffix(line, "\r")
}
