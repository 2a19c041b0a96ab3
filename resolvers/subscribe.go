package resolvers

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const mediaTypeEvents = "text/event-stream"

const (
	// heartbeat keeps proxies from closing a stream that has nothing to say.
	heartbeat = 15 * time.Second
	// eventTime is how long a client may take to receive an event.
	eventTime = 30 * time.Second
)

// wantsEvents says whether a client asks for server-sent events.
func wantsEvents(h http.Header) bool {
	for accepted := range strings.SplitSeq(strings.Join(h.Values("Accept"), ","), ",") {
		if mediaType, _, err := mime.ParseMediaType(accepted); err == nil && mediaType == mediaTypeEvents {
			return true
		}
	}
	return false
}

// serveEvents answers with server-sent events, in the "distinct connections
// mode" of https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md:
// events next, and complete at the end.
func (a *api) serveEvents(w http.ResponseWriter, r *http.Request, params *graphql.RawParams) {
	ctx, cancel := context.WithCancel(graphql.StartOperationTrace(r.Context()))
	defer cancel()
	stop := context.AfterFunc(a.closing, cancel)
	defer stop()
	respond, ctx, refused := a.start(ctx, params, true)
	if refused != nil {
		observing(ctx).failed(refused.Errors)
		reply(w, mediaTypeJSON, http.StatusBadRequest, requestError{refused.Errors, refused.Extensions})
		return
	}
	responses := make(chan []byte)
	go func() {
		defer close(responses)
		// A response is turned into text before the next one is asked for: they
		// share a buffer.
		pass := func(resp *graphql.Response) bool {
			text, err := json.Marshal(resp)
			if err != nil { // only data that is not JSON; gqlgen writes none
				panic(err)
			}
			select {
			case responses <- text:
				return true
			case <-ctx.Done():
				return false
			}
		}
		defer func() {
			if cause := recover(); cause != nil {
				pass(a.panicked(ctx, cause))
			}
		}()
		for {
			if resp := respond(ctx); resp == nil || !pass(resp) {
				return
			}
		}
	}()
	w.Header().Set("Content-Type", mediaTypeEvents)
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	control := http.NewResponseController(w)
	send := func(text string) bool {
		// A server without deadlines, as in tests, is none the worse.
		_ = control.SetWriteDeadline(time.Now().Add(eventTime))
		if _, err := w.Write([]byte(text)); err != nil {
			return false
		}
		return control.Flush() == nil
	}
	w.WriteHeader(http.StatusOK)
	if !send(":\n\n") {
		return
	}
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case text, more := <-responses:
			if !more {
				send("event: complete\ndata:\n\n")
				return
			}
			if !send("event: next\ndata: " + string(text) + "\n\n") {
				return
			}
		case <-tick.C:
			if !send(":\n\n") {
				return
			}
		case <-ctx.Done():
			send("event: complete\ndata:\n\n")
			return
		}
	}
}

func errorList(code, message string) gqlerror.List {
	return gqlerror.List{refusal(code, "%s", message)}
}

// newSocket is the transport for graphql-transport-ws.
func (a *api) newSocket() transport.Websocket {
	return transport.Websocket{
		Implementation: transport.CoderWebsocketImplementation{AcceptOptions: websocket.AcceptOptions{
			InsecureSkipVerify: true, // originAllowed has looked
			Subprotocols:       []string{"graphql-transport-ws"},
		}},
		InitTimeout:      10 * time.Second,
		PingPongInterval: heartbeat,
		PayloadReadLimit: &a.o.Limits.RequestBytes,
		InitFunc: func(ctx context.Context, payload transport.InitPayload) (context.Context, *transport.InitPayload, error) {
			if authenticated(ctx) || a.o.Authenticate == nil {
				return ctx, nil, nil
			}
			token := payload.Authorization()
			if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "bearer") {
				token = strings.TrimSpace(rest)
			}
			ctx, err := a.o.Authenticate(ctx, token)
			if err != nil {
				return transport.AppendCloseReason(ctx, "Forbidden"), nil, errors.New("connection_init needs a valid token, as in {\"Authorization\": \"Bearer …\"}")
			}
			return ctx, nil, nil
		},
	}
}

type authenticatedKey struct{}

// Authenticated marks the context of a request whose token was checked, so
// that a WebSocket need not bring one in connection_init.
func Authenticated(ctx context.Context) context.Context {
	return context.WithValue(ctx, authenticatedKey{}, true)
}

func authenticated(ctx context.Context) bool {
	yes, _ := ctx.Value(authenticatedKey{}).(bool)
	return yes
}

// serveSocket speaks graphql-transport-ws.
func (a *api) serveSocket(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || r.Method != http.MethodGet {
		reply(w, mediaTypeJSON, http.StatusBadRequest, requestError{Errors: errorList(CodeBadRequest, "a connection can be upgraded to websocket only, with GET")})
		return
	}
	if !a.originAllowed(r) {
		reply(w, mediaTypeJSON, http.StatusForbidden, requestError{Errors: errorList(CodeBadRequest, "pages of this origin may not open a WebSocket here; see --cors-origin")})
		return
	}
	if !strings.Contains(r.Header.Get("Sec-WebSocket-Protocol"), "graphql-transport-ws") {
		reply(w, mediaTypeJSON, http.StatusBadRequest, requestError{Errors: errorList(CodeBadRequest, "the WebSocket is to speak the subprotocol graphql-transport-ws")})
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	stop := context.AfterFunc(a.closing, cancel)
	defer stop()
	a.socket.Do(w, r.WithContext(ctx), a.exec)
}

// originAllowed keeps pages of other sites from asking in the name of those
// who look at them. Programs send no origin.
func (a *api) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	for _, allowed := range a.o.Origins {
		if allowed == "*" || strings.EqualFold(allowed, origin) {
			return true
		}
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
