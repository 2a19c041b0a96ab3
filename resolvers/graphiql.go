package resolvers

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed examples/*.graphql
var exampleFiles embed.FS

//go:embed graphiql/page.html
var graphiqlPage string

//go:embed graphiql/dist/*
var graphiqlFiles embed.FS

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

// PathGraphiQLFiles begins the paths of what GraphiQL's page is made of.
const PathGraphiQLFiles = "/graphiql/"

// asset is a file of GraphiQL's bundle, which web/graphiql/build makes.
type asset struct {
	path   string // has a hash of the file in it, so that browsers may keep it for ever
	kind   string
	zipped []byte
}

func newAsset(name, kind string) asset {
	zipped, err := graphiqlFiles.ReadFile("graphiql/dist/" + name + ".gz")
	if err != nil {
		panic(err) // embedded files can be read
	}
	sum := sha256.Sum256(zipped)
	base, ext, _ := strings.Cut(name, ".")
	return asset{PathGraphiQLFiles + base + "-" + hex.EncodeToString(sum[:6]) + "." + ext, kind, zipped}
}

func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(a.zipped)))
		_, _ = w.Write(a.zipped)
		return
	}
	plain, err := gzip.NewReader(bytes.NewReader(a.zipped))
	if err != nil {
		panic(err) // the file is what the build made
	}
	_, _ = io.Copy(w, plain)
}

// registerGraphiQL serves the page for asking by hand, and all that it is made
// of. It needs no other host.
func registerGraphiQL(mux *http.ServeMux) {
	settings := struct {
		Endpoint string   `json:"endpoint"`
		Examples []string `json:"examples"`
	}{Endpoint: PathGraphQL}
	for _, e := range Examples() {
		settings.Examples = append(settings.Examples, e.Query)
	}
	script, style := newAsset("graphiql.js", "text/javascript; charset=utf-8"), newAsset("graphiql.css", "text/css; charset=utf-8")
	var page bytes.Buffer
	err := template.Must(template.New("graphiql").Parse(graphiqlPage)).Execute(&page, map[string]any{
		"Endpoint": PathGraphQL, "Settings": settings, "Script": script.path, "Style": style.path,
	})
	if err != nil {
		panic(err) // the template and what fills it are constant
	}
	// The editor sets styles of its own; fonts stand in the style sheet. 'self'
	// is not ws: in every browser, so that both are named.
	policy := strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self' 'unsafe-inline'",
		"font-src 'self' data:",
		"img-src 'self' data:",
		"connect-src 'self' ws: wss:",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
	}, "; ")
	sum := sha256.Sum256(page.Bytes())
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	mux.HandleFunc("GET "+PathGraphiQL+"{$}", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(page.Bytes())
	})
	mux.Handle("GET "+script.path, script)
	mux.Handle("GET "+style.path, style)
	mux.HandleFunc("GET "+PathGraphiQLFiles+"LICENSES.txt", func(w http.ResponseWriter, _ *http.Request) {
		text, err := graphiqlFiles.ReadFile("graphiql/dist/LICENSES.txt")
		if err != nil {
			panic(err) // embedded files can be read
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(text)
	})
}
