package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"
)

const algorithm = jose.ES256

// signingKey is the key that signs at the moment. It can be rotated while the provider answers.
type signingKey struct {
	current atomic.Pointer[jose.JSONWebKey]
}

func (k *signingKey) rotate() error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a signing key: %w", err)
	}
	k.current.Store(&jose.JSONWebKey{Key: private, KeyID: rand.Text(), Algorithm: string(algorithm), Use: "sig"})
	return nil
}

// published is the key set without the private half.
func (k *signingKey) published() *jose.JSONWebKeySet {
	return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k.current.Load().Public()}}
}

// sign makes a JWT of the claims.
func (k *signingKey) sign(claims any) (string, error) {
	options := (&jose.SignerOptions{}).WithType("JWT")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: k.current.Load()}, options)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode a token's claims: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		return "", fmt.Errorf("encode a token: %w", err)
	}
	return token, nil
}
