package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// envToken holds the token that a server is asked with.
const envToken = "CHANCERY_TOKEN"

// maxAnswer bounds what is read of a server's answer: 256 MiB.
const maxAnswer = 256 << 20

// remote asks a server.
func (c *cli) remote(o queryOptions) (func(context.Context, *graphql.RawParams) (*graphql.Response, error), error) {
	u, err := url.Parse(o.url)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usage("--url is to be the address of a server, for example http://127.0.0.1:8080/graphql")
	}
	if u.User != nil {
		return nil, usage("--url holds a user name or password, where others can see them; a token comes from $%s or --bearer-file", envToken)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/graphql"
	}
	token := c.getenv(envToken)
	if o.tokenFile != "" {
		text, err := readFile(o.tokenFile)
		if err != nil {
			return nil, err
		}
		token = string(text)
	}
	token = strings.TrimSpace(token)
	if token != "" && u.Scheme == "http" && !isLocalHost(u.Hostname()) {
		return nil, usage("a token is not sent to %s without TLS; use https://", u.Host)
	}
	return func(ctx context.Context, params *graphql.RawParams) (*graphql.Response, error) {
		ctx, cancel := context.WithTimeout(ctx, o.timeout)
		defer cancel()
		return post(ctx, u, token, params)
	}, nil
}

func isLocalHost(name string) bool {
	ip := net.ParseIP(name)
	return name == "localhost" || ip != nil && ip.IsLoopback()
}

func post(ctx context.Context, u *url.URL, token string, params *graphql.RawParams) (*graphql.Response, error) {
	body, err := json.Marshal(map[string]any{"query": params.Query, "operationName": params.OperationName,
		"variables": params.Variables, "extensions": params.Extensions})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json, application/json;q=0.9")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	// A redirect would send the token to somebody else.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	switch {
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return nil, fmt.Errorf("%s did not answer in time; see --timeout", u.Host)
	case err != nil:
		return nil, fmt.Errorf("cannot reach %s: %w", u.Host, errors.Unwrap(err))
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("the answer of %s broke off: %w", u.Host, err)
	}
	if len(text) > maxAnswer {
		return nil, fmt.Errorf("the answer of %s is larger than %d bytes", u.Host, maxAnswer)
	}
	var resp graphql.Response
	if err := json.Unmarshal(text, &resp); err != nil || resp.Data == nil && len(resp.Errors) == 0 {
		return nil, fmt.Errorf("%s answered with status %s, and not with GraphQL; is %s the address of a Chancery?", u.Host, answer.Status, u)
	}
	return &resp, nil
}
