package connectauth

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"strings"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

const binarySuffix = "-bin"

// withIncoming returns a context that holds the call's metadata and peer, as grpc's own server makes it.
func withIncoming(ctx context.Context, header http.Header, host string, from *peer.Peer) context.Context {
	return peer.NewContext(metadata.NewIncomingContext(ctx, metadataOf(header, host)), from)
}

// metadataOf is the metadata that a header carries. Every value is there: leaving one out could make a
// repeated header a single one, or an optional one that is wrong an absent one.
func metadataOf(header http.Header, host string) metadata.MD {
	md := make(metadata.MD, len(header)+1)
	if host != "" {
		md[":authority"] = []string{host}
	}
	for name, values := range header {
		key := strings.ToLower(name)
		if strings.HasSuffix(key, binarySuffix) {
			count := len(md[key]) + len(values)
			for _, value := range values {
				count += strings.Count(value, ",")
			}
			md[key] = append(make([]string, 0, count), md[key]...) // how many, the caller says: it does not grow
			for _, value := range values {
				for encoded := range strings.SplitSeq(value, ",") {
					md[key] = append(md[key], decodeBinary(encoded))
				}
			}
			continue
		}
		md[key] = append(md[key], values...) // names that differ in case only can come from this process
	}
	return md
}

// decodeBinary returns the bytes of a -bin value, padded or not. What cannot be decoded is an empty value: it
// has arrived, and every rule that knows its key refuses it.
func decodeBinary(encoded string) string {
	encoding := base64.RawStdEncoding
	if len(encoded)%4 == 0 { // padded, or padding was not necessary
		encoding = base64.StdEncoding
	}
	decoded, err := encoding.DecodeString(encoded)
	if err != nil {
		return ""
	}
	return string(decoded)
}

// peerOf describes the caller of a request, as grpc's ServeHTTP does.
func peerOf(r *http.Request) *peer.Peer {
	from := peerAt(r.RemoteAddr)
	from.LocalAddr, _ = r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if r.TLS != nil {
		from.AuthInfo = credentials.TLSInfo{
			State:          *r.TLS,
			CommonAuthInfo: credentials.CommonAuthInfo{SecurityLevel: credentials.PrivacyAndIntegrity},
		}
	}
	return from
}

func peerAt(address string) *peer.Peer { return &peer.Peer{Addr: remoteAddress(address)} }

// remoteAddress is net/http's "host:port" as a net.Addr.
type remoteAddress string

func (remoteAddress) Network() string { return "tcp" }

func (a remoteAddress) String() string { return string(a) }
