package resolvers

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed examples/*.graphql
var exampleFiles embed.FS

//go:embed graphiql.html
var graphiqlPage string

//go:embed graphiql.js
var graphiqlStart string

// Example is an operation that shows what can be asked. The data set that
// comes with Chancery has answers to all of them.
type Example struct{ Name, Query string }

// Examples are all examples, the first being the one that GraphiQL opens on.
func Examples() []Example {
	names, err := fs.Glob(exampleFiles, "examples/*.graphql")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	examples := make([]Example, 0, len(names))
	for _, name := range names {
		text, err := exampleFiles.ReadFile(name)
		if err != nil {
			panic(err) // embedded files can be read
		}
		examples = append(examples, Example{strings.TrimSuffix(path.Base(name), ".graphql"), string(text)})
	}
	first := slices.IndexFunc(examples, func(e Example) bool { return e.Name == "welcome" })
	examples[0], examples[first] = examples[first], examples[0]
	return examples
}

// asset is a file of an npm package on a content delivery network. The hash is
// that of the file in the package, so that nothing else is ever run.
type asset struct{ URL, Integrity string }

const cdn = "https://cdn.jsdelivr.net"

// newGraphiQL serves the page of GraphiQL 4, the last one that is built for
// pages without a bundler.
func newGraphiQL() http.Handler {
	settings := struct {
		Endpoint string   `json:"endpoint"`
		Examples []string `json:"examples"`
	}{Endpoint: PathGraphQL}
	for _, e := range Examples() {
		settings.Examples = append(settings.Examples, e.Query)
	}
	var page bytes.Buffer
	err := template.Must(template.New("graphiql").Parse(graphiqlPage)).Execute(&page, map[string]any{
		"Endpoint": PathGraphQL,
		"Settings": settings,
		"Styles": []asset{
			{cdn + "/npm/graphiql@4.1.2/graphiql.min.css", "sha384-1el1QShFBnnXTx9x/Cprg82hZWKt0ry29OAYIXt05swbi0KcZDFoj0CWguMpopJr"},
		},
		"Scripts": []asset{
			{cdn + "/npm/react@18.3.1/umd/react.production.min.js", "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z"},
			{cdn + "/npm/react-dom@18.3.1/umd/react-dom.production.min.js", "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1"},
			{cdn + "/npm/graphiql@4.1.2/graphiql.min.js", "sha384-9XdHu7ajgGJziD4J1zNBKQ842Q/+zZfDv+ib1eMhZWBH6hPAs806x+Jbcf0yNO6B"},
		},
		"Start": template.JS(graphiqlStart),
	})
	if err != nil {
		panic(err) // the template and what fills it are constant
	}
	start := sha256.Sum256([]byte(graphiqlStart))
	policy := strings.Join([]string{
		"default-src 'none'",
		"script-src " + cdn + " 'sha256-" + base64.StdEncoding.EncodeToString(start[:]) + "'",
		"style-src " + cdn + " 'unsafe-inline'",
		"font-src " + cdn + " data:",
		"img-src data:",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-cache")
		_, _ = w.Write(page.Bytes())
	})
}
