package grpcauth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/status"

	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth"
	"github.com/grpcauth/protoc-gen-go-grpcauth/grpcauth/authimpl"
)

// canary is a credential that must be found nowhere.
const canary = "canary-7f3a"

// showsCanary looks for the canary as text, quoted, in hexadecimal, and byte by byte.
func showsCanary(text string) bool {
	spelled := strings.Trim(fmt.Sprintf("%d", []byte(canary)), "[]")
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprintf("% x", canary), spelled} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

// holder is what users put secrets into.
type holder struct {
	Exported   grpcauth.Secret
	unexported grpcauth.Secret
	Pointer    *grpcauth.Secret
	pointer    *grpcauth.Secret
	Basic      grpcauth.BasicAuth
	basic      *grpcauth.BasicAuth
	Nested     struct{ inner, Inner grpcauth.Secret }
	Any        any
	any        any
	List       []grpcauth.Secret
	byName     map[string]grpcauth.Secret
	ByName     map[string]any
	Source     grpcauth.Source[grpcauth.Secret] `json:"-" xml:"-"`
}

func TestT39_SecretsDoNotShowThemselves(t *testing.T) {
	t.Parallel()
	secret := grpcauth.NewSecret(canary)
	basic := grpcauth.BasicAuth{Username: "ada", Password: secret}
	inner := struct{ inner, Inner grpcauth.Secret }{secret, secret}
	held := holder{
		secret, secret, &secret, &secret, basic, &basic, inner, secret, &secret,
		[]grpcauth.Secret{secret},
		map[string]grpcauth.Secret{"a": secret},
		map[string]any{"a": secret, "b": &basic},
		grpcauth.Static(secret),
	}
	wrapped := fmt.Errorf("login with %v: %w", secret, errors.Join(errors.New("refused"), fmt.Errorf("%+v", held)))
	shapes := map[string]any{
		"value": secret, "pointer": &secret, "list": []any{secret, &secret}, "map": map[string]any{"a": secret},
		"holder": held, "pointer to holder": &held, "list of holders": []holder{held}, "basic": basic, "pointer to basic": &basic,
		"wrapped error": wrapped, "in an interface": fmt.Stringer(secret), "reflect": reflect.ValueOf(held),
		"set": grpcauth.NewSecretSet(secret), "context": grpcauth.WithPrincipal(t.Context(), held),
	}
	shown := 0
	check := func(how, text string) {
		t.Helper()
		shown++
		if showsCanary(text) {
			t.Errorf("%s shows the secret: %s", how, text)
		}
	}
	for name, shape := range shapes {
		for verb := 'A'; verb <= 'z'; verb++ {
			for _, flags := range []string{"", "+", "#", " ", "0", "-20", "+#", ".3", "20.2"} {
				check("%"+flags+string(verb)+" of "+name, fmt.Sprintf("%"+flags+string(verb), shape))
			}
		}
		check("Sprint of "+name, fmt.Sprint(shape)+fmt.Sprintln(shape))
		check("errors of "+name, fmt.Errorf("%w and %v", wrapped, shape).Error())
		for handlerName, handler := range map[string]func(*bytes.Buffer) slog.Handler{
			"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var log bytes.Buffer
			slog.New(handler(&log)).With("with", shape).WithGroup("group").Error(fmt.Sprint(shape), "attr", shape)
			slog.New(handler(&log)).LogAttrs(t.Context(), slog.LevelInfo, "attrs", slog.Any("any", shape), slog.Group("g", slog.Any("a", shape)))
			if log.Len() == 0 {
				t.Errorf("slog %s of %s wrote nothing", handlerName, name)
			}
			check("slog "+handlerName+" of "+name, log.String())
		}
		if encoded, err := json.Marshal(shape); err == nil {
			check("json of "+name, string(encoded))
		}
		if encoded, err := xml.Marshal(shape); err == nil {
			check("xml of "+name, string(encoded))
		}
	}
	if shown < 5000 {
		t.Errorf("only %d texts were looked at", shown)
	}
	if !showsCanary(fmt.Sprintf("%x", canary)) || !showsCanary(fmt.Sprintf("%d", []byte(canary))) || !showsCanary(fmt.Sprintf("%q", canary)) {
		t.Error("a secret that shows would not be noticed")
	}
	if encoded, err := json.Marshal(map[string]any{"a": secret}); err != nil || string(encoded) != `{"a":"[redacted]"}` {
		t.Errorf("json gives %s, %v", encoded, err)
	}
	if got := fmt.Sprintf("%v %s %q %d", secret, secret, &secret, secret) + secret.String(); strings.Count(got, "[redacted]") != 5 {
		t.Errorf("formats as %s", got)
	}
}

// Everything that a server and a client write about a call that failed with a canary as its credential.
func TestT39_FailedCallsDoNotShowTheirCredentials(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		header authimpl.Header
		verify authimpl.Verifier
		supply authimpl.Supplier
	}{
		"bearer": {
			authimpl.Header{Name: "authorization", Bearer: true},
			authimpl.VerifyBearer("authorization", refuseSecret),
			authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", grpcauth.Static(grpcauth.NewSecret(canary))),
		},
		"basic": {
			authimpl.Header{Name: "authorization", Basic: true},
			authimpl.VerifyBasic("authorization", func(_ context.Context, call grpcauth.Call, user string, password grpcauth.Secret) (context.Context, error) {
				return nil, fmt.Errorf("%+v: %s with %v is unknown", call, user, password)
			}),
			authimpl.SupplyBasic("authorization", "C.AuthorizationBasic", grpcauth.Static(grpcauth.BasicAuth{Username: "ada", Password: grpcauth.NewSecret(canary)})),
		},
		"verify, and the verifier panics": {
			authimpl.Header{Name: "x-api-key", Verify: authimpl.String},
			authimpl.VerifyValue("x-api-key", "", func(_ context.Context, _ grpcauth.Call, key grpcauth.Secret) (context.Context, error) {
				panic(key)
			}),
			authimpl.SupplyValue("x-api-key", "", "C.XApiKey", grpcauth.Static(grpcauth.NewSecret(canary))),
		},
		"a value that cannot be sent": {
			authimpl.Header{Name: "x-api-key", Verify: authimpl.String},
			authimpl.VerifyValue("x-api-key", "", refuseSecret),
			authimpl.SupplyValue("x-api-key", "", "C.XApiKey", grpcauth.Static(grpcauth.NewSecret(canary+"\n"))),
		},
		"a value that cannot be sent in this form": {
			authimpl.Header{Name: "authorization", Bearer: true},
			authimpl.VerifyBearer("authorization", refuseSecret),
			authimpl.SupplyBearer("authorization", "C.AuthorizationBearer", grpcauth.Static(grpcauth.NewSecret(canary+" "+canary))),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log lockedBuffer
			logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			table := tableFor("test.v1.Service", headers(test.header))
			interceptor := authimpl.NewServerInterceptor(table,
				[]grpcauth.ServerOption{grpcauth.OnDecision(grpcauth.LogDecisions(logger))}, test.verify)
			client := authimpl.NewClientInterceptor(table, []grpcauth.ClientOption{grpcauth.AllowInsecureTransport()}, test.supply)
			served := &service{name: table.Name}
			connection := installs[0].start(t, loopback, interceptor, served, client.DialOptions()...)
			for _, kind := range kinds {
				err := call(t.Context(), connection, table.Name, kind)
				if err == nil || showsCanary(fmt.Sprintf("%v %+v %#v", err, err, status.Convert(err).Proto())) {
					t.Errorf("%s: the caller sees %v", kind, err)
				}
			}
			if text := log.String(); showsCanary(text) || (text == "" && !strings.Contains(name, "cannot be sent")) {
				t.Errorf("the server logs %q", text)
			}
		})
	}
}

func refuseSecret(_ context.Context, call grpcauth.Call, secret grpcauth.Secret) (context.Context, error) {
	return nil, fmt.Errorf("%+v: %v is unknown", call, secret)
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

func TestT40_SecretsAreNotComparable(t *testing.T) {
	t.Parallel()
	if reflect.TypeFor[grpcauth.Secret]().Comparable() {
		t.Error("== compares secrets, in a time that depends on what they hold")
	}
	a, b := grpcauth.NewSecret("a"), grpcauth.NewSecret("b")
	for _, test := range []struct {
		one, other grpcauth.Secret
		want       bool
	}{
		{a, grpcauth.NewSecret("a"), true},
		{a, b, false},
		{a, grpcauth.NewSecret("aa"), false},
		{a, grpcauth.Secret{}, false},
		{grpcauth.Secret{}, a, false},
		{grpcauth.Secret{}, grpcauth.Secret{}, true},
		{grpcauth.Secret{}, grpcauth.NewSecret(""), true},
	} {
		if test.one.Equal(test.other) != test.want {
			t.Errorf("%q.Equal(%q) = %t", test.one.Reveal(), test.other.Reveal(), !test.want)
		}
	}
	if a.Reveal() != "a" || (grpcauth.Secret{}).Reveal() != "" {
		t.Error("Reveal does not give the value back")
	}
}

// What keeps comparisons from telling anything is their shape: every key is hashed and compared, without a
// way out of the loop.
func TestT40_ComparisonsHaveNoEarlyExit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ file, function, compares string }{
		{"secretset.go", "Verify", "hash[:]"},
		{"internal/rules/read.go", "isOneOf", "[]byte(text)"},
	} {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, test.file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		loops := 0
		ast.Inspect(file, func(node ast.Node) bool {
			function, ok := node.(*ast.FuncDecl)
			if !ok || function.Name.Name != test.function {
				return true
			}
			ast.Inspect(function.Body, func(node ast.Node) bool {
				loop, ok := node.(*ast.RangeStmt)
				if !ok {
					return true
				}
				loops++
				assign, ok := loop.Body.List[0].(*ast.AssignStmt)
				if len(loop.Body.List) != 1 || !ok || assign.Tok != token.OR_ASSIGN {
					t.Errorf("%s: the loop of %s does more than collect results", files.Position(loop.Pos()), test.function)
					return false
				}
				compare, ok := assign.Rhs[0].(*ast.CallExpr)
				if !ok || nodeText(compare.Fun) != "subtle.ConstantTimeCompare" || nodeText(compare.Args[0]) != test.compares {
					t.Errorf("%s: %s compares in another way", files.Position(assign.Pos()), test.function)
				}
				return false
			})
			return false
		})
		if loops != 1 {
			t.Errorf("%s: %s has %d loops, want one", test.file, test.function, loops)
		}
	}
}

// nodeText spells the few expressions of interest.
func nodeText(node ast.Expr) string {
	switch node := node.(type) {
	case *ast.Ident:
		return node.Name
	case *ast.SelectorExpr:
		return nodeText(node.X) + "." + node.Sel.Name
	case *ast.SliceExpr:
		return nodeText(node.X) + "[:]"
	case *ast.ArrayType:
		return "[]" + nodeText(node.Elt)
	case *ast.CallExpr:
		return nodeText(node.Fun) + "(" + nodeText(node.Args[0]) + ")"
	default:
		return fmt.Sprintf("%T", node)
	}
}

func TestSecretSetAcceptsItsKeysOnly(t *testing.T) {
	t.Parallel()
	keys := make([]grpcauth.Secret, 9)
	for i := range keys {
		keys[i] = grpcauth.NewSecret(strings.Repeat("k", i+1))
	}
	verifies := func(set *grpcauth.SecretSet, key grpcauth.Secret) bool {
		ctx, err := set.Verify(t.Context(), grpcauth.Call{}, key)
		if (ctx == t.Context()) != (err == nil) {
			t.Errorf("Verify gives %v with %v", ctx, err)
		}
		return err == nil
	}
	for count := 1; count <= 8; count++ {
		set := grpcauth.NewSecretSet(keys[:count]...)
		for i, key := range keys {
			if verifies(set, key) != (i < count) {
				t.Errorf("with %d keys, key %d is treated wrongly", count, i+1)
			}
		}
		if verifies(set, grpcauth.Secret{}) || verifies(set, grpcauth.NewSecret("K")) {
			t.Error("accepts a key that it was not given")
		}
	}
	if verifies(new(grpcauth.SecretSet), grpcauth.Secret{}) || verifies(new(grpcauth.SecretSet), keys[0]) {
		t.Error("the zero set accepts something")
	}
	table := keyTable()
	for name, set := range map[string]*grpcauth.SecretSet{"zero": {}, "other keys": grpcauth.NewSecretSet(keys[1])} {
		interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyValue("x-api-key", "", set.Verify))
		_, err := interceptor.Authorize(arrived(t, "x-api-key", "k"), table.Methods[0].FullMethod)
		if status.Code(err) != refusal.Code || status.Convert(err).Message() != refusal.Message {
			t.Errorf("%s: got %v, want the rule's denial", name, err)
		}
	}
	mustPanic(t, "grpcauth: a SecretSet holds 1 to 8 keys, not 0", func() { grpcauth.NewSecretSet() })
	mustPanic(t, "grpcauth: a SecretSet holds 1 to 8 keys, not 9", func() { grpcauth.NewSecretSet(keys...) })
	mustPanic(t, "grpcauth: key 2 of 2 is empty", func() { grpcauth.NewSecretSet(keys[0], grpcauth.NewSecret("")) })

	set := grpcauth.NewSecretSet(keys[0])
	if err := set.Replace(); err == nil || !verifies(set, keys[0]) {
		t.Errorf("replaced by no key: %v", err)
	}
	if err := set.Replace(keys[1], grpcauth.Secret{}); err == nil || !verifies(set, keys[0]) || verifies(set, keys[1]) {
		t.Errorf("replaced by keys of which one is empty: %v", err)
	}
	if err := set.Replace(keys[1]); err != nil || verifies(set, keys[0]) || !verifies(set, keys[1]) {
		t.Errorf("not replaced: %v", err)
	}
}

// Keys rotate while calls are served: one that is active before and after is never refused, one that is
// dropped is refused from then on.
func TestT41_RotationWhileServing(t *testing.T) {
	t.Parallel()
	stays, leaves := grpcauth.NewSecret("stays"), grpcauth.NewSecret("leaves")
	set := grpcauth.NewSecretSet(leaves, stays)
	table := tableFor("test.v1.Service", headers(authimpl.Header{Name: "x-api-key", Verify: authimpl.String}))
	interceptor := authimpl.NewServerInterceptor(table, nil, authimpl.VerifyValue("x-api-key", "", set.Verify))
	served := &service{name: table.Name}
	connection := installs[1].start(t, loopback, interceptor, served)

	var wait sync.WaitGroup
	var rotated atomic.Int64
	done := make(chan struct{})
	wait.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			keys := []grpcauth.Secret{stays}
			for j := range i % 8 {
				keys = append(keys, grpcauth.NewSecret(fmt.Sprint("other", i, j)))
			}
			if err := set.Replace(keys...); err != nil {
				t.Error(err)
			}
			rotated.Add(1)
		}
	})
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for i := range 100 {
				if err := call(sent(t, "x-api-key", "stays"), connection, table.Name, kinds[i%len(kinds)]); err != nil {
					t.Errorf("a key that is active all the time is refused: %v", err)
					return
				}
			}
		})
	}
	callers.Wait()
	close(done)
	wait.Wait()
	if err := call(sent(t, "x-api-key", "leaves"), connection, table.Name, unary); status.Code(err) != refusal.Code {
		t.Errorf("a key that was dropped: %v", err)
	}
	if rotated.Load() < 10 || served.runs.Load() != 400 {
		t.Errorf("%d rotations, %d calls", rotated.Load(), served.runs.Load())
	}
}
