package grpcauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync/atomic"
)

const maxActiveKeys = 8

// SecretSet holds the keys that are accepted at the moment, so that keys can rotate without a restart:
// first accept the new one beside the old one, then hand it to the clients, then drop the old one. Its
// Verify has the shape of a generated verifier's methods. It is safe for concurrent use. The zero SecretSet
// accepts nothing.
type SecretSet struct {
	hashes atomic.Pointer[[][sha256.Size]byte]
}

// NewSecretSet makes a set of 1 to 8 keys. It panics where Replace would return an error: a server must not
// start with a key that is empty by mistake.
func NewSecretSet(keys ...Secret) *SecretSet {
	set := &SecretSet{}
	if err := set.Replace(keys...); err != nil {
		panic(err.Error())
	}
	return set
}

// Replace accepts these 1 to 8 keys from now on and no others, in one step: a key that is active before and
// after is never refused. With an error, which names the position of an empty key, nothing is replaced.
func (s *SecretSet) Replace(keys ...Secret) error {
	if len(keys) == 0 || len(keys) > maxActiveKeys {
		return fmt.Errorf("grpcauth: a SecretSet holds 1 to %d keys, not %d", maxActiveKeys, len(keys))
	}
	hashes := make([][sha256.Size]byte, 0, len(keys))
	for i, key := range keys {
		if key.Reveal() == "" {
			return fmt.Errorf("grpcauth: key %d of %d is empty", i+1, len(keys))
		}
		hashes = append(hashes, key.hash())
	}
	s.hashes.Store(&hashes)
	return nil
}

// These are for the server's eyes only: the caller gets the rule's denial.
var (
	errNoKeys    = errors.New("grpcauth: this SecretSet holds no keys")
	errNoSuchKey = errors.New("grpcauth: none of the active keys")
)

// Verify accepts a value that is one of the active keys, and adds nothing to the context. It compares with
// all of them, without an early exit. A rule with scopes refuses what it accepts: report what a key grants
// with [WithGrantedScopes] in a verifier of your own that calls it.
func (s *SecretSet) Verify(ctx context.Context, _ Call, value Secret) (context.Context, error) {
	hashes := s.hashes.Load()
	if hashes == nil {
		return nil, errNoKeys
	}
	hash, matches := value.hash(), 0
	for i := range *hashes {
		matches |= subtle.ConstantTimeCompare(hash[:], (*hashes)[i][:])
	}
	if matches != 1 {
		return nil, errNoSuchKey
	}
	return ctx, nil
}
