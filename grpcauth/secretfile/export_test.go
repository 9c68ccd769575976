package secretfile

import (
	"io/fs"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
)

// Both ends as on a system that does not tell when a file changed, only when it was modified.

func ModifiedSource(path string) grpcauth.Source[grpcauth.Secret] {
	secret := newFile(path, parseSecret)
	secret.changed = fs.FileInfo.ModTime
	return supply(secret)
}

func ModifiedKeys(path string) (*Keys, error) {
	keys := newFile(path, parseKeys)
	keys.changed = fs.FileInfo.ModTime
	return accept(keys)
}
