package secretfile_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/secretfile"
)

const canary = "canaryinthecoalmine"

// write writes in place.
func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replace puts another file in the place of the one that is there.
func replace(t *testing.T, path, content string) {
	t.Helper()
	write(t, path+".new", content)
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func written(t *testing.T, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "secret")
	write(t, path, content)
	return path
}

// age sets the time of modification back, to when the file was last changed as far as anybody can tell.
func age(t *testing.T, path string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

// end is the client's or the server's end of a file, as what the two have in common: does it hold the secret?
type end struct {
	name string
	open func(t *testing.T, path string) (holds func(secret string) error)
}

var errOther = errors.New("another secret")

var (
	// ends are what users get.
	ends = []end{
		{"client", client(secretfile.Source)},
		{"server", server(secretfile.NewKeys)},
	}
	// modifiedEnds are the same on a system that tells only when a file was modified, which a test can set.
	modifiedEnds = []end{
		{"client by modification", client(secretfile.ModifiedSource)},
		{"server by modification", server(secretfile.ModifiedKeys)},
	}
	allEnds = slices.Concat(ends, modifiedEnds)
)

func client(
	open func(path string) grpcauth.Source[grpcauth.Secret],
) func(t *testing.T, path string) func(secret string) error {
	return func(_ *testing.T, path string) func(string) error {
		source := open(path)
		return func(secret string) error {
			got, err := source(context.Background(), grpcauth.Call{})
			if err == nil && got.Reveal() != secret {
				return errOther
			}
			return err
		}
	}
}

func server(
	open func(path string) (*secretfile.Keys, error),
) func(t *testing.T, path string) func(secret string) error {
	return func(t *testing.T, path string) func(string) error {
		t.Helper()
		keys, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		return func(secret string) error {
			ctx, err := keys.Verify(context.Background(), grpcauth.Call{}, grpcauth.NewSecret(secret))
			if (ctx == nil) == (err == nil) {
				return fmt.Errorf("context %v with error %w", ctx, err)
			}
			if err != nil && status.Code(err) != codes.Unavailable {
				return errOther
			}
			return err
		}
	}
}

// of opens the end of a file with this content.
func (e *end) of(t *testing.T, content string) (path string, holds func(secret string) error) {
	t.Helper()
	path = written(t, content)
	return path, e.open(t, path)
}

// unavailable fails the test unless the error is UNAVAILABLE, names the file and says what is wrong.
func unavailable(t *testing.T, err error, path, want string) {
	t.Helper()
	if status.Code(err) != codes.Unavailable {
		t.Errorf("got %v, %v, want Unavailable", status.Code(err), err)
	}
	if want := "secretfile: " + path + ": " + want; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func held(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("got %v", err)
	}
}

func notHeld(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, errOther) {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestT41_ChangesCountFromTheNextCall(t *testing.T) {
	t.Parallel()
	for _, end := range allEnds {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			path, holds := end.of(t, "first")
			age(t, path, time.Hour)
			held(t, holds("first"))
			held(t, holds("first"))

			replace(t, path, "second")
			held(t, holds("second"))
			notHeld(t, holds("first"))

			write(t, path, "in place")
			held(t, holds("in place"))
			notHeld(t, holds("second"))

			age(t, path, time.Hour)
			held(t, holds("in place"))
			replace(t, path, "also old")
			age(t, path, time.Hour)
			held(t, holds("also old"))
		})
	}
}

// Each of the three things that tell another file, alone.
func TestT41_WhatTellsAChange(t *testing.T) {
	t.Parallel()
	then := time.Now().Add(-time.Hour)
	for name, change := range map[string]func(t *testing.T, path string){
		"size": func(t *testing.T, path string) {
			t.Helper()
			write(t, path, "other secret")
		},
		"time of modification": func(t *testing.T, path string) {
			t.Helper()
			write(t, path, "other")
			then := then.Add(time.Nanosecond)
			if err := os.Chtimes(path, then, then); err != nil {
				t.Fatal(err)
			}
		},
		"identity": func(t *testing.T, path string) {
			t.Helper()
			replace(t, path, "other")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, end := range allEnds {
				t.Run(end.name, func(t *testing.T) {
					t.Parallel()
					path, holds := end.of(t, "first")
					os.Chtimes(path, then, then)
					held(t, holds("first"))
					change(t, path)
					if name != "time of modification" {
						os.Chtimes(path, then, then)
					}
					notHeld(t, holds("first"))
				})
			}
		})
	}
}

// A second change within the same tick of the file system's clock leaves no trace, unless one looks again.
func TestT41_RewriteWithTheSameSizeAndTime(t *testing.T) {
	t.Parallel()
	for _, end := range allEnds {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			path, holds := end.of(t, "first!")
			now := time.Now()
			os.Chtimes(path, now, now)
			held(t, holds("first!"))
			write(t, path, "second")
			os.Chtimes(path, now, now)
			held(t, holds("second"))
			notHeld(t, holds("first!"))

			future := now.Add(time.Hour) // the file server's clock is ahead
			os.Chtimes(path, future, future)
			held(t, holds("second"))
			write(t, path, "third!")
			os.Chtimes(path, future, future)
			held(t, holds("third!"))
		})
	}
}

// Where the system tells when a file changed, its size, time and inode may all be those of the old one.
func TestT41_RewriteOfASettledFile(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("this system tells only when a file was modified")
	}
	for _, end := range ends {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			path, holds := end.of(t, "first!")
			then := time.Unix(1700000000, 0)
			os.Chtimes(path, then, then)
			time.Sleep(2100 * time.Millisecond) // until calls need not read it any more
			held(t, holds("first!"))
			held(t, holds("first!"))
			write(t, path, "second")
			os.Chtimes(path, then, then)
			notHeld(t, holds("first!"))
			held(t, holds("second"))
		})
	}
}

// A file that was left alone for a while is not read again, which shows where the package's comment says so.
func TestSettledFilesAreReadOnce(t *testing.T) {
	t.Parallel()
	for _, end := range modifiedEnds {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			path, holds := end.of(t, "first!")
			then := time.Now().Add(-3 * time.Second)
			os.Chtimes(path, then, then)
			held(t, holds("first!"))
			write(t, path, "second")
			os.Chtimes(path, then, then)
			held(t, holds("first!"))
			os.Chtimes(path, time.Now(), time.Now())
			held(t, holds("second"))
		})
	}
}

// What Kubernetes does with a mounted secret: key -> ..data/key, ..data -> ..1, and ..data is renamed over.
func TestT41_SymbolicLinksSwapped(t *testing.T) {
	t.Parallel()
	for _, end := range allEnds {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			mount := kubernetes(t, "first")
			holds := end.open(t, mount.key)
			held(t, holds("first"))
			mount.update(t, "second")
			held(t, holds("second"))
			notHeld(t, holds("first"))
		})
	}
}

// While links are swapped and old versions removed, a look may find nothing. No call may fail of it.
func TestT41_LookingWhileLinksAreSwapped(t *testing.T) {
	t.Parallel()
	for _, end := range allEnds {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			mount := kubernetes(t, "key")
			holds := end.open(t, mount.key)
			ctx, stop := context.WithCancel(t.Context())
			var callers sync.WaitGroup
			for range 4 {
				callers.Go(func() {
					for ctx.Err() == nil {
						if err := holds("key"); err != nil {
							t.Error(err)
						}
					}
				})
			}
			const swaps = 50
			for i := range swaps {
				mount.young = i%2 == 0 // so that calls read it, not only ask for its time
				mount.update(t, "key")
			}
			stop()
			callers.Wait()
		})
	}
}

// mounted is a secret as kubelet lays it out.
type mounted struct {
	dir, key string
	version  int
	young    bool // modified now, and not at the same time as all the others
}

func kubernetes(t *testing.T, content string) *mounted {
	t.Helper()
	mount := &mounted{dir: t.TempDir()}
	mount.key = filepath.Join(mount.dir, "key")
	if err := os.Symlink("..data/key", mount.key); err != nil {
		t.Fatal(err)
	}
	mount.update(t, content)
	return mount
}

// update puts a new version in the place of the old one, and removes that.
func (m *mounted) update(t *testing.T, content string) {
	t.Helper()
	old := filepath.Join(m.dir, fmt.Sprintf("..%d", m.version))
	m.version++
	name := fmt.Sprintf("..%d", m.version)
	target := filepath.Join(m.dir, name, "key")
	if err := os.Mkdir(filepath.Dir(target), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, target, content)
	if !m.young {
		then := time.Unix(1700000000, 0)
		os.Chtimes(target, then, then)
	}
	link := filepath.Join(m.dir, "..data_tmp")
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link, filepath.Join(m.dir, "..data")); err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(old)
}

func TestT41_WhatCannotBeReadHoldsNothing(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(t *testing.T, path string){
		"no such file or directory": func(t *testing.T, path string) {
			t.Helper()
			os.Remove(path)
		},
		"it is empty": func(t *testing.T, path string) {
			t.Helper()
			write(t, path, "")
		},
		"it is no regular file": func(t *testing.T, path string) {
			t.Helper()
			os.Remove(path)
			os.Mkdir(path, 0o700)
		},
		"it has more than 65536 bytes": func(t *testing.T, path string) {
			t.Helper()
			write(t, path, strings.Repeat(canary, 1<<16/len(canary)+1))
		},
		"too many levels of symbolic links": func(t *testing.T, path string) {
			t.Helper()
			os.Remove(path)
			os.Symlink(path, path)
		},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			for _, end := range allEnds {
				t.Run(end.name, func(t *testing.T) {
					t.Parallel()
					path, holds := end.of(t, "first")
					age(t, path, time.Hour)
					held(t, holds("first"))
					change(t, path)
					for range 2 {
						unavailable(t, holds("first"), path, want)
					}
					os.RemoveAll(path)
					replace(t, path, "mended")
					held(t, holds("mended"))
				})
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	for _, end := range allEnds {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			path, holds := end.of(t, "first")
			os.Chmod(path, 0)
			err := holds("first")
			unavailable(t, err, path, "permission denied")
			if !errors.Is(err, fs.ErrPermission) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSourceCutsOneNewline(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 1<<16)
	for _, test := range [][2]string{
		{"key", "key"},
		{"key\n", "key"},
		{"key\r\n", "key"},
		{"key\n\n", "key\n"},
		{"key\r", "key\r"},
		{"key\r\r\n", "key\r"},
		{" key \n", " key "},
		{"\nkey", "\nkey"},
		{long, long},
	} {
		content, want := test[0], test[1]
		secret, err := secretfile.Source(written(t, content))(t.Context(), grpcauth.Call{})
		if err != nil || secret.Reveal() != want {
			t.Errorf("%.20q: got %.20q, %v", content, secret.Reveal(), err)
		}
	}
	for _, content := range []string{"", "\n", "\r\n"} {
		path := written(t, content)
		_, err := secretfile.Source(path)(t.Context(), grpcauth.Call{})
		unavailable(t, err, path, "it is empty")
	}
}

func TestSourceBeforeItsFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "late")
	source := secretfile.Source(path)
	_, err := source(t.Context(), grpcauth.Call{})
	unavailable(t, err, path, "no such file or directory")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	write(t, path, "there")
	if secret, err := source(t.Context(), grpcauth.Call{}); err != nil || secret.Reveal() != "there" {
		t.Errorf("got %q, %v", secret.Reveal(), err)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		content string
		keys    []string
	}{
		{"a", []string{"a"}},
		{"a\n", []string{"a"}},
		{"a\r\n", []string{"a"}},
		{"a\nb", []string{"a", "b"}},
		{"a\r\nb\r\n", []string{"a", "b"}},
		{"a\r\nb\n", []string{"a", "b"}},
		{" a\nb ", []string{" a", "b "}},
		{"a\rb", []string{"a\rb"}},
		{"a\nb\r", []string{"a", "b\r"}},
		{"a\na", []string{"a"}},
		{"1\n2\n3\n4\n5\n6\n7\n8\n", []string{"1", "2", "3", "4", "5", "6", "7", "8"}},
	} {
		content, keys := test.content, test.keys
		set, err := secretfile.NewKeys(written(t, content))
		if err != nil {
			t.Errorf("%q: got %v", content, err)
			continue
		}
		for _, key := range keys {
			if ctx, err := set.Verify(t.Context(), grpcauth.Call{}, grpcauth.NewSecret(key)); err != nil || ctx != t.Context() {
				t.Errorf("%q: %q is refused: %v", content, key, err)
			}
		}
		for _, other := range []string{"", "\n", "\r", "c", content + "\n", "a\n", "A", "a ", "ab"} {
			ctx, err := set.Verify(t.Context(), grpcauth.Call{}, grpcauth.NewSecret(other))
			if err == nil || ctx != nil || status.Code(err) == codes.Unavailable {
				t.Errorf("%q: %q is accepted, or cannot be told: %v", content, other, err)
			}
		}
	}
}

// A server does not start with a file that would refuse everyone.
func TestNewKeysFails(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"":                            "it is empty",
		"\n":                          "grpcauth: key 1 of 1 is empty",
		"a\n\nb\n":                    "grpcauth: key 2 of 3 is empty",
		"a\n\n":                       "grpcauth: key 2 of 2 is empty",
		"a\r\n\r\n":                   "grpcauth: key 2 of 2 is empty",
		strings.Repeat("key\n", 9):    "grpcauth: a SecretSet holds 1 to 8 keys, not 9",
		strings.Repeat("k", 1<<16+1):  "it has more than 65536 bytes",
		strings.Repeat("\n", 1<<10):   "grpcauth: a SecretSet holds 1 to 8 keys, not 1024",
		canary + "\n\n" + canary + "": "grpcauth: key 2 of 3 is empty",
	} {
		path := written(t, content)
		keys, err := secretfile.NewKeys(path)
		if keys != nil || err == nil || err.Error() != "secretfile: "+path+": "+want {
			t.Errorf("%.20q: got %v, %v; want %s", content, keys, err, want)
		}
	}
	path := filepath.Join(t.TempDir(), "missing")
	if keys, err := secretfile.NewKeys(path); keys != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, %v", keys, err)
	}
}

func TestT8_ZeroKeysRefuseEveryone(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"", "a"} {
		ctx, err := new(secretfile.Keys).Verify(t.Context(), grpcauth.Call{}, grpcauth.NewSecret(value))
		if ctx != nil || status.Code(err) != codes.Unavailable {
			t.Errorf("%q: got %v", value, err)
		}
	}
}

func TestT39_NothingShowsTheContent(t *testing.T) {
	t.Parallel()
	path := written(t, canary+"\n")
	keys, err := secretfile.NewKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	shown := []any{keys, *keys, struct{ inner any }{keys}, secretfile.Source(path)}
	_, err = keys.Verify(t.Context(), grpcauth.Call{}, grpcauth.NewSecret(canary+"?"))
	shown = append(shown, err)
	for _, broken := range []string{
		canary + "\n\n", strings.Repeat(canary+"\n", 9), strings.Repeat(canary, 1<<12), "\n" + canary,
	} {
		write(t, path, broken)
		_, err := keys.Verify(t.Context(), grpcauth.Call{}, grpcauth.NewSecret(canary))
		if err == nil {
			t.Errorf("%.40q is accepted", broken)
		}
		shown = append(shown, err)
	}
	_, err = secretfile.Source(written(t, strings.Repeat(canary, 1<<12)))(t.Context(), grpcauth.Call{})
	shown = append(shown, err)
	for _, value := range shown {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s shows the content: %s", verb, text)
			}
		}
	}
}

const method = "/test.v1.Service/Unary"

// serving is the check of a service whose calls need a key of the set.
func serving(keys *secretfile.Keys, decided func(context.Context, grpcauth.Decision)) *grpcauth.ServerInterceptor {
	table := &authimpl.Service{Name: "test.v1.Service", Methods: []authimpl.Method{{
		FullMethod: method,
		Headers:    []authimpl.Header{{Name: "x-api-key", Verify: authimpl.String}},
		Denial:     authimpl.Denial{Code: codes.Unauthenticated, Message: "refused"},
	}}}
	return authimpl.NewServerInterceptor(table, []grpcauth.ServerOption{grpcauth.OnDecision(decided)},
		authimpl.VerifyValue("x-api-key", "", keys.Verify))
}

func arriving(t *testing.T, key string) context.Context {
	t.Helper()
	return metadata.NewIncomingContext(t.Context(), metadata.Pairs("x-api-key", key))
}

// What the caller of a server without keys gets, and what its operator sees.
func TestT23_CallersDoNotSeeTheFile(t *testing.T) {
	t.Parallel()
	path := written(t, "key\n")
	keys, err := secretfile.NewKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	var last grpcauth.Decision
	interceptor := serving(keys, func(_ context.Context, decision grpcauth.Decision) { last = decision })
	if _, err := interceptor.Authorize(arriving(t, "key"), method); err != nil {
		t.Errorf("got %v", err)
	}
	if _, err := interceptor.Authorize(arriving(t, "other"), method); status.Convert(err).Message() != "refused" {
		t.Errorf("got %v", err)
	}
	os.Remove(path)
	_, err = interceptor.Authorize(arriving(t, "key"), method)
	if status.Code(err) != codes.Unavailable || strings.Contains(err.Error(), "secret") {
		t.Errorf("the caller sees %v", err)
	}
	if last.Reason != grpcauth.VerifierFailed || !errors.Is(last.Err, fs.ErrNotExist) || !strings.Contains(last.Err.Error(), path) {
		t.Errorf("the operator sees %+v", last)
	}
}

// A client and a server rotate while calls are made: server's file first, client's next, server's last.
func TestT41_RotationWhileServing(t *testing.T) {
	t.Parallel()
	server, client := kubernetes(t, "key-0\n"), kubernetes(t, "key-0\n")
	server.young, client.young = true, true // or else an inode that is used again would hide a change elsewhere
	keys, err := secretfile.NewKeys(server.key)
	if err != nil {
		t.Fatal(err)
	}
	var failure atomic.Pointer[grpcauth.Decision]
	interceptor := serving(keys, func(_ context.Context, decision grpcauth.Decision) {
		if decision.Reason != grpcauth.Allowed {
			failure.Store(&decision)
		}
	})
	source := secretfile.Source(client.key)

	// A call holds the read lock from when it asks for its key until it is checked. An operator, too, waits
	// for calls with the old key before it is taken out of service.
	var underWay sync.RWMutex
	waitForThoseWithTheOldKey := func() {
		underWay.Lock()
		defer underWay.Unlock()
	}
	var calls atomic.Int64
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				underWay.RLock()
				secret, err := source(t.Context(), grpcauth.Call{})
				if err != nil {
					t.Errorf("client: %v", err)
				} else if _, err := interceptor.Authorize(arriving(t, secret.Reveal()), method); err != nil {
					t.Errorf("server: %v, %+v", err, failure.Load())
				}
				underWay.RUnlock()
				calls.Add(1)
			}
		})
	}
	const rotations = 15
	for i := 1; i <= rotations; i++ {
		old, next := fmt.Sprintf("key-%d\n", i-1), fmt.Sprintf("key-%d\n", i)
		server.update(t, old+next)
		client.update(t, next)
		waitForThoseWithTheOldKey()
		server.update(t, next)
		for before := calls.Load(); calls.Load() < before+8; {
			time.Sleep(time.Millisecond)
		}
	}
	close(stop)
	callers.Wait()
	if _, err := interceptor.Authorize(arriving(t, "key-0"), method); status.Code(err) != codes.Unauthenticated {
		t.Errorf("a key that was taken out: got %v", err)
	}
	if _, err := interceptor.Authorize(arriving(t, fmt.Sprintf("key-%d", rotations)), method); err != nil {
		t.Errorf("the last key: got %v", err)
	}
}
