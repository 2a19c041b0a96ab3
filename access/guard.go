// Package access decides who may ask: those with a token from a file, or with a
// JSON Web Token of a trusted issuer.
package access

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// What is wrong with a token. Nothing more is told of it.
var (
	// ErrInvalid says that a token is not known, not good, or no longer.
	ErrInvalid = errors.New("the token is not valid")
	// ErrUnavailable says that tokens cannot be checked at the moment.
	ErrUnavailable = errors.New("tokens cannot be checked at the moment")
)

// Verifier checks tokens of one kind. It returns whose the token is and until
// when it holds (the zero time is for ever), else [ErrInvalid] or
// [ErrUnavailable].
type Verifier interface {
	Check(ctx context.Context, token string) (name string, until time.Time, err error)
}

// Guard lets those in whom one of its verifiers knows.
type Guard struct{ verifiers []Verifier }

// NewGuard makes a guard of at least one verifier.
func NewGuard(verifiers ...Verifier) *Guard { return &Guard{verifiers} }

// Check implements [Verifier].
func (g *Guard) Check(ctx context.Context, token string) (name string, until time.Time, err error) {
	failure := ErrInvalid
	if token == "" {
		return "", time.Time{}, failure
	}
	for _, v := range g.verifiers {
		name, until, err := v.Check(ctx, token)
		if err == nil {
			return name, until, nil
		}
		if errors.Is(err, ErrUnavailable) {
			failure = ErrUnavailable
		}
	}
	return "", time.Time{}, failure
}

type callerKey struct{}

// Caller is who was let in.
type Caller struct {
	Name  string
	Until time.Time // when the token ends; zero for never
}

// CallerOf is whom [Guard.Wrap] let in, or the zero Caller.
func CallerOf(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// CodeUnauthenticated is the code of the error that those without a token get.
const CodeUnauthenticated = "UNAUTHENTICATED"

// Wrap lets requests through that have a valid token in one Authorization
// header, as RFC 6750 has it, and notes whose it is; see [CallerOf]. The others
// get 401, or 503 while tokens cannot be checked. Tokens in addresses, which
// logs keep, are not looked at.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers := r.Header.Values("Authorization")
		token := ""
		if len(headers) == 1 {
			if scheme, rest, ok := strings.Cut(headers[0], " "); ok && strings.EqualFold(scheme, "bearer") {
				token = strings.TrimSpace(rest)
			}
		}
		if token == "" {
			challenge := `Bearer realm="chancery"`
			if len(headers) > 0 {
				challenge += `, error="invalid_request"`
			}
			refuse(w, r, http.StatusUnauthorized, challenge, "a token is needed: Authorization: Bearer TOKEN")
			return
		}
		name, until, err := g.Check(r.Context(), token)
		switch {
		case errors.Is(err, ErrUnavailable):
			w.Header().Set("Retry-After", "10")
			refuse(w, r, http.StatusServiceUnavailable, "", ErrUnavailable.Error())
		case err != nil:
			refuse(w, r, http.StatusUnauthorized, `Bearer realm="chancery", error="invalid_token"`, ErrInvalid.Error())
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, Caller{name, until})))
		}
	})
}

func refuse(w http.ResponseWriter, r *http.Request, status int, challenge, message string) {
	code := CodeUnauthenticated
	if status == http.StatusServiceUnavailable {
		code = "AUTHENTICATION_UNAVAILABLE"
	}
	body, _ := json.Marshal(map[string]any{"errors": []any{map[string]any{"message": message, "extensions": map[string]any{"code": code}}}})
	h := w.Header()
	if challenge != "" {
		h.Set("WWW-Authenticate", challenge)
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/json; charset=utf-8")
	if strings.Contains(r.Header.Get("Accept"), "application/graphql-response+json") {
		h.Set("Content-Type", "application/graphql-response+json; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}
