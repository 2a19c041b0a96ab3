package access

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// clock is set by hand.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	return c
}
func (c *clock) now() time.Time      { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) add(d time.Duration) { c.at.Add(int64(d)) }

func TestTokens(t *testing.T) {
	c := newClock()
	file := filepath.Join(t.TempDir(), "tokens")
	ann, annLine, err := NewToken("ann", time.Time{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	bob, bobLine, err := NewToken("bob@x.org", c.now().Add(time.Hour), rand.Reader)
	if err != nil || ann == bob || strings.Contains(annLine, ann) || !strings.HasPrefix(ann, "chy_") || len(ann) != 47 {
		t.Fatal(ann, annLine, err)
	}
	write(t, file, "\ufeff# who may ask\r\n\r\n"+annLine+"\r\n\t"+bobLine+"\n")
	tokens, err := OpenTokens(file, c.now, quiet())
	if err != nil {
		t.Fatal(err)
	}
	check := func(token, want string) {
		t.Helper()
		if name, _, err := tokens.Check(t.Context(), token); name != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%q, %v; want %q", name, err, want)
		}
	}
	check(ann, "ann")
	check(bob, "bob@x.org")
	for _, wrong := range []string{"", " ", ann[:len(ann)-1], ann + "x", strings.ToUpper(ann), annLine, strings.Fields(annLine)[1], strings.Repeat("x", 1<<20)} {
		check(wrong, "")
	}
	if _, until, _ := tokens.Check(t.Context(), bob); !until.Equal(c.now().Add(time.Hour)) {
		t.Error(until)
	}
	c.add(time.Hour)
	check(bob, "")
	check(ann, "ann")

	// Taking a token back needs no restart, and a broken file changes nothing.
	write(t, file, "nonsense\n")
	c.add(2 * time.Second)
	check(ann, "ann")
	write(t, file, bobLine[:len("bob@x.org ")+64]+"\n")
	c.add(2 * time.Second)
	check(ann, "")
	check(bob, "bob@x.org")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	c.add(2 * time.Second)
	check(bob, "bob@x.org")
}

func TestTokenFileProblems(t *testing.T) {
	h := strings.Repeat("ab", 32)
	for text, want := range map[string]string{
		"a":                           "f:1:1: a line is NAME SHA256 [EXPIRES]",
		"\n a b c d":                  "f:2:2: a line is NAME SHA256",
		"a " + h[:62]:                 "f:1:3: this is no SHA-256 hash",
		"a " + h + "ab":               "f:1:3: this is no SHA-256 hash",
		"a chy_abc":                   "f:1:3: this is a token, and its hash",
		"a " + h + " soon":            `f:1:68: "soon" is no time`,
		"a " + h + "\na " + h[:64]:    "f:2:1: the name a stands in line 1 already",
		"a " + h + "\nb " + h:         "f:2:3: the token of a has the same hash",
		"-a " + h:                     "f:1:1: this is no name of a token",
		"a\x00 " + h:                  "f:1:1: this is no name",
		"\xff " + h:                   "f:1:1: the line is not UTF-8",
		"a " + h + " 2026-13-01":      "is no time",
		"a " + strings.ToUpper(h):     "",
		"a " + h + " 2026-01-01":      "",
		"# " + strings.Repeat("x", 1): "",
	} {
		_, err := parseTokens("f", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", text, err)
		}
	}
	dir := t.TempDir()
	if _, err := OpenTokens(dir, time.Now, quiet()); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Error(err)
	}
}

func FuzzParseTokens(f *testing.F) {
	f.Add([]byte("a " + strings.Repeat("ab", 32) + " 2026-01-01\n# x\r\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		grants, err := parseTokens("f", text)
		if (grants == nil) == (err == nil) {
			t.Errorf("%v, %v", grants, err)
		}
		for _, g := range grants {
			if !names.MatchString(g.name) {
				t.Errorf("%q", g.name)
			}
		}
	})
}

// issuer makes tokens and keys.
type issuer struct {
	t    *testing.T
	rsa  *rsa.PrivateKey
	ec   *ecdsa.PrivateKey
	kids map[string]crypto.Signer
}

func newIssuer(t *testing.T) *issuer {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{t, r, e, map[string]crypto.Signer{"r": r, "e": e}}
}

func (i *issuer) jwks(kids ...string) string {
	b64 := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	keys := []any{}
	for _, kid := range kids {
		switch k := i.kids[kid].Public().(type) {
		case *rsa.PublicKey:
			keys = append(keys, map[string]string{"kty": "RSA", "kid": kid, "use": "sig", "n": b64(k.N.Bytes()), "e": b64(big.NewInt(int64(k.E)).Bytes())})
		case *ecdsa.PublicKey:
			point, err := k.Bytes() // 4, then both coordinates
			if err != nil {
				i.t.Fatal(err)
			}
			keys = append(keys, map[string]string{"kty": "EC", "kid": kid, "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])})
		}
	}
	text, _ := json.Marshal(map[string]any{"keys": keys})
	return string(text)
}

func (i *issuer) sign(method jwt.SigningMethod, kid string, key any, claims jwt.MapClaims) string {
	i.t.Helper()
	token := jwt.NewWithClaims(method, claims)
	if kid != "" {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

func TestJWT(t *testing.T) {
	c, i := newClock(), newIssuer(t)
	file := filepath.Join(t.TempDir(), "jwks.json")
	write(t, file, i.jwks("r", "e"))
	j, err := NewJWT(t.Context(), JWTOptions{JWKS: file, Issuer: "https://issuer.example", Audience: "chancery", Now: c.now, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	claims := func(edit func(jwt.MapClaims)) jwt.MapClaims {
		m := jwt.MapClaims{"iss": "https://issuer.example", "aud": "chancery", "sub": "ann", "exp": c.now().Add(time.Hour).Unix()}
		if edit != nil {
			edit(m)
		}
		return m
	}
	public, err := x509.MarshalPKIXPublicKey(&i.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	shared := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := i.sign(jwt.SigningMethodRS256, "r", i.rsa, claims(nil))
	for name, tc := range map[string]struct{ token, want string }{
		"RSA":                 {good, "ann"},
		"PSS":                 {i.sign(jwt.SigningMethodPS256, "r", i.rsa, claims(nil)), "ann"},
		"elliptic":            {i.sign(jwt.SigningMethodES256, "e", i.ec, claims(nil)), "ann"},
		"several audiences":   {i.sign(jwt.SigningMethodES256, "e", i.ec, claims(func(m jwt.MapClaims) { m["aud"] = []string{"x", "chancery"} })), "ann"},
		"a name for logs":     {i.sign(jwt.SigningMethodES256, "e", i.ec, claims(func(m jwt.MapClaims) { m["sub"] = "a\nb\x1b[31m" + strings.Repeat("x", 500) })), "ab[31m" + strings.Repeat("x", 94)},
		"no signature":        {i.sign(jwt.SigningMethodNone, "r", jwt.UnsafeAllowNoneSignatureType, claims(nil)), ""},
		"the key as a secret": {i.sign(jwt.SigningMethodHS256, "r", shared, claims(nil)), ""},
		"another's key":       {i.sign(jwt.SigningMethodRS256, "r", other, claims(nil)), ""},
		"an unknown key":      {i.sign(jwt.SigningMethodRS256, "z", other, claims(nil)), ""},
		"expired":             {i.sign(jwt.SigningMethodES256, "e", i.ec, claims(func(m jwt.MapClaims) { m["exp"] = c.now().Add(-time.Minute).Unix() })), ""},
		"endless":             {i.sign(jwt.SigningMethodES256, "e", i.ec, claims(func(m jwt.MapClaims) { delete(m, "exp") })), ""},
		"not yet":             {i.sign(jwt.SigningMethodES256, "e", i.ec, claims(func(m jwt.MapClaims) { m["nbf"] = c.now().Add(time.Hour).Unix() })), ""},
		"another issuer":      {i.sign(jwt.SigningMethodES256, "e", i.ec, claims(func(m jwt.MapClaims) { m["iss"] = "https://issuer.example.evil" })), ""},
		"another audience":    {i.sign(jwt.SigningMethodES256, "e", i.ec, claims(func(m jwt.MapClaims) { m["aud"] = "shop" })), ""},
		"nobody":              {i.sign(jwt.SigningMethodES256, "e", i.ec, claims(func(m jwt.MapClaims) { delete(m, "sub") })), ""},
		"cut":                 {good[:len(good)-4], ""},
		"changed":             {good[:20] + "A" + good[21:], ""},
		"nothing":             {"..", ""},
		"huge":                {strings.Repeat("a", 1<<20) + ".b.c", ""},
	} {
		got, _, err := j.Check(t.Context(), tc.token)
		if got != tc.want || tc.want == "" && !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestJWKSAddress(t *testing.T) {
	c, i := newClock(), newIssuer(t)
	served, asked := atomic.Pointer[string]{}, atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if text := served.Load(); text != nil {
			_, _ = w.Write([]byte(*text))
			return
		}
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer server.Close()
	j, err := NewJWT(t.Context(), JWTOptions{JWKS: server.URL, Issuer: "i", Audience: "a", Now: c.now, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	token := func(kid string) string {
		return i.sign(jwt.SigningMethodES256, kid, i.ec, jwt.MapClaims{"iss": "i", "aud": "a", "sub": "ann", "exp": c.now().Add(24 * time.Hour).Unix()})
	}
	check := func(token string, want error) {
		t.Helper()
		if _, _, err := j.Check(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	check(token("e"), ErrUnavailable)
	set := i.jwks("e")
	served.Store(&set)
	c.add(time.Minute)
	check(token("e"), nil)
	// A stranger who makes up keys does not make the server ask for each.
	c.add(time.Minute)
	before := asked.Load()
	for range 50 {
		check(token("made-up"), ErrInvalid)
	}
	if n := asked.Load() - before; n > 1 {
		t.Errorf("%d askings", n)
	}
	// Keys change.
	i.kids["new"] = i.ec
	set2 := i.jwks("new")
	served.Store(&set2)
	c.add(time.Minute)
	check(token("new"), nil)
	check(token("e"), ErrInvalid)
	// The issuer is down: what is known stays good.
	served.Store(nil)
	c.add(time.Hour)
	check(token("new"), nil)
	nonsense := strings.Repeat("x", 2<<20)
	served.Store(&nonsense)
	c.add(time.Hour)
	check(token("new"), nil)

	for _, bad := range []string{"http://keys.example/jwks", "ftp://x", "none.json"} {
		if _, err := NewJWT(t.Context(), JWTOptions{JWKS: bad, Issuer: "i", Audience: "a", Logger: quiet()}); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
	if _, err := NewJWT(t.Context(), JWTOptions{JWKS: server.URL, Issuer: "i"}); err == nil {
		t.Error("no audience is accepted")
	}
}

func TestGuard(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens")
	token, line, err := NewToken("ann", time.Time{}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file, line)
	var log bytes.Buffer
	tokens, err := OpenTokens(file, time.Now, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	g := NewGuard(tokens)
	h := g.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(CallerOf(r.Context()).Name)) }))
	for name, c := range map[string]struct {
		headers []string
		status  int
		error   string
	}{
		"none":           {nil, 401, ""},
		"good":           {[]string{"Bearer " + token}, 200, ""},
		"scheme in caps": {[]string{"BEARER  " + token}, 200, ""},
		"basic":          {[]string{"Basic YTpi"}, 401, "invalid_request"},
		"two":            {[]string{"Bearer " + token, "Bearer " + token}, 401, "invalid_request"},
		"wrong":          {[]string{"Bearer x"}, 401, "invalid_token"},
		"empty":          {[]string{"Bearer "}, 401, "invalid_request"},
		"a list":         {[]string{"Bearer x, Bearer " + token}, 401, "invalid_token"},
		"huge":           {[]string{"Bearer " + strings.Repeat("x", 1<<20)}, 401, "invalid_token"},
	} {
		r := httptest.NewRequest("POST", "/graphql?access_token="+token, nil)
		r.Header["Authorization"] = c.headers
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		challenge := w.Header().Get("WWW-Authenticate")
		if w.Code != c.status || c.status == 401 && (!strings.HasPrefix(challenge, `Bearer realm="chancery"`) || !strings.Contains(challenge, c.error) || !strings.Contains(w.Body.String(), CodeUnauthenticated)) {
			t.Errorf("%s: %d %s %s", name, w.Code, challenge, w.Body)
		}
		if c.status == 200 && w.Body.String() != "ann" {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
	away := NewGuard(verifier(func(context.Context, string) error { return ErrUnavailable }), tokens)
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/graphql", nil)
	r.Header.Set("Authorization", "Bearer x")
	away.Wrap(h).ServeHTTP(w, r)
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Error(w.Code, w.Header())
	}
	if strings.Contains(log.String(), "chy_") {
		t.Error(log.String())
	}
}

type verifier func(context.Context, string) error

func (v verifier) Check(ctx context.Context, token string) (string, time.Time, error) {
	return "", time.Time{}, v(ctx, token)
}
