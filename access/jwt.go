package access

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// JWTOptions say which JSON Web Tokens (RFC 7519) are good. All but the clock
// and the client are required.
type JWTOptions struct {
	// JWKS is a file or an https URL (http on this machine) with the keys of
	// the issuer, a JSON Web Key Set (RFC 7517).
	JWKS     string
	Issuer   string // iss
	Audience string // aud, or one of them

	Now    func() time.Time
	Client *http.Client // nil has a limit of 10 s
	Logger *slog.Logger
}

// algorithms are the signatures that are accepted: none with a shared secret,
// which whoever checks could forge.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

const (
	leeway      = 30 * time.Second // between the clocks of issuer and server
	maxKeys     = 1 << 20          // bytes of a key set
	keysFor     = 15 * time.Minute // after which a URL is asked again
	askPause    = 30 * time.Second // between askings for a key that is not known
	maxJWTBytes = 16 << 10
	maxSubject  = 100 // characters of the name that stands in logs
)

// JWT checks JSON Web Tokens. Keys are fetched again every quarter of an hour,
// and, at most twice a minute, when a token names a key that is not known; a
// file is looked at every second.
type JWT struct {
	o      JWTOptions
	remote bool
	parser *jwt.Parser

	mu      sync.Mutex
	keys    keyfunc.Keyfunc
	fetched time.Time // the last success
	tried   time.Time
	text    []byte
}

// NewJWT checks the options, and tries to get the keys. A URL that does not
// answer is no error: until it does, tokens get [ErrUnavailable].
func NewJWT(ctx context.Context, o JWTOptions) (*JWT, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Issuer == "" || o.Audience == "" {
		return nil, errors.New("JSON Web Tokens are checked for their issuer and audience; name both")
	}
	j := &JWT{o: o, remote: strings.Contains(o.JWKS, "://")}
	if j.remote {
		u, err := url.Parse(o.JWKS)
		if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
			return nil, errors.New("the address of a key set is to begin with https://")
		}
		if j.o.Client == nil {
			j.o.Client = &http.Client{Timeout: 10 * time.Second}
		}
	}
	j.parser = jwt.NewParser(jwt.WithValidMethods(algorithms), jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience),
		jwt.WithExpirationRequired(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(o.Now))
	if err := j.fetch(ctx); err != nil {
		if !j.remote {
			return nil, err
		}
		o.Logger.Warn("the keys of tokens cannot be fetched yet", "jwks", o.JWKS, "error", err)
	}
	return j, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// fetch gets the keys. The lock is held by the caller, or not needed yet.
func (j *JWT) fetch(ctx context.Context) error {
	j.tried = j.o.Now()
	text, err := j.load(ctx)
	if err != nil {
		return err
	}
	if bytes.Equal(text, j.text) {
		j.fetched = j.tried
		return nil
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil || set.Keys == nil {
		return fmt.Errorf("%s is no JSON Web Key Set", j.o.JWKS)
	}
	keys, err := keyfunc.NewJWKSetJSON(text)
	if err != nil {
		return fmt.Errorf("%s is no JSON Web Key Set: %w", j.o.JWKS, err)
	}
	j.keys, j.text, j.fetched = keys, text, j.tried
	return nil
}

func (j *JWT) load(ctx context.Context) ([]byte, error) {
	if !j.remote {
		file, err := os.Open(j.o.JWKS)
		if err != nil {
			return nil, cannotRead(j.o.JWKS, err)
		}
		defer func() { _ = file.Close() }()
		return bounded(j.o.JWKS, file)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, j.o.JWKS, nil)
	if err != nil {
		return nil, err
	}
	answer, err := j.o.Client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", j.o.JWKS, answer.Status)
	}
	return bounded(j.o.JWKS, answer.Body)
}

func bounded(name string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxKeys+1))
	if err != nil {
		return nil, cannotRead(name, err)
	}
	if len(text) > maxKeys {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxKeys)
	}
	return text, nil
}

// current is the key set, fetched again when it is time to, or when unknown
// says that a token names a key it does not have.
func (j *JWT) current(ctx context.Context, unknown bool) keyfunc.Keyfunc {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.o.Now()
	due, pause := j.keys == nil || now.Sub(j.fetched) >= keysFor || unknown, askPause
	if !j.remote {
		due, pause = true, recheck
	}
	if due && now.Sub(j.tried) >= pause {
		if err := j.fetch(ctx); err != nil {
			j.o.Logger.Error("the keys of tokens cannot be fetched; those known stay good", "jwks", j.o.JWKS, "error", err)
		}
	}
	return j.keys
}

// Check implements [Verifier]. The name is the token's sub.
func (j *JWT) Check(ctx context.Context, token string) (name string, until time.Time, err error) {
	if len(token) > maxJWTBytes || strings.Count(token, ".") != 2 {
		return "", time.Time{}, ErrInvalid
	}
	for _, again := range []bool{false, true} {
		keys := j.current(ctx, again)
		if keys == nil {
			return "", time.Time{}, ErrUnavailable
		}
		var claims jwt.RegisteredClaims
		_, err = j.parser.ParseWithClaims(token, &claims, keys.KeyfuncCtx(ctx))
		if err == nil {
			name = shown(claims.Subject)
			if name == "" {
				return "", time.Time{}, ErrInvalid
			}
			return name, claims.ExpiresAt.Add(leeway), nil
		}
		if !errors.Is(err, jwt.ErrTokenUnverifiable) { // the key is known, and the token is bad
			break
		}
	}
	return "", time.Time{}, ErrInvalid
}

// shown is a subject as it may stand in a log.
func shown(subject string) string {
	var out []rune
	for _, c := range subject {
		if unicode.IsGraphic(c) && c != unicode.ReplacementChar && len(out) < maxSubject {
			out = append(out, c)
		}
	}
	return strings.TrimSpace(string(out))
}
