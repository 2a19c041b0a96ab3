package resolvers

import (
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestGraphiQL(t *testing.T) {
	w := httptest.NewRecorder()
	h := NewHandler(emptyStore(t), Options{Logger: noLog()})
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	page := w.Body.String()
	if w.Code != 200 || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatal(w.Code, w.Header())
	}

	m := regexp.MustCompile(`(?s)<script type="application/json" id="settings">(.*?)</script>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no settings")
	}
	var settings struct {
		Endpoint string
		Examples []string
	}
	if err := json.Unmarshal([]byte(m[1]), &settings); err != nil {
		t.Fatal(err)
	}
	if settings.Endpoint != "/graphql" || len(settings.Examples) != len(Examples()) || !strings.Contains(settings.Examples[0], "query Welcome") {
		t.Errorf("%+v", settings)
	}

	// The page is made of files of this server alone, which browsers may keep.
	policy := w.Header().Get("Content-Security-Policy")
	files := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(files) != 3 {
		t.Errorf("%d files", len(files))
	}
	for _, f := range files {
		if f[1] == "data:," {
			continue
		}
		for encoding, zipped := range map[string]bool{"gzip": true, "": false} {
			r := httptest.NewRequest("GET", f[1], nil)
			r.Header.Set("Accept-Encoding", encoding)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != 200 || (w.Header().Get("Content-Encoding") == "gzip") != zipped || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Body.Len() < 10_000 {
				t.Errorf("%s: %d %v, %d bytes", f[1], w.Code, w.Header(), w.Body.Len())
			}
		}
	}
	if strings.Contains(page, "https:") || strings.Contains(policy, "https:") || strings.Contains(policy, "script-src 'unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Error(policy)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("If-None-Match", w.Header().Get("ETag"))
	again := httptest.NewRecorder()
	h.ServeHTTP(again, r)
	if again.Code != 304 || again.Body.Len() > 0 {
		t.Errorf("%d", again.Code)
	}
}

func TestExamplesAskDeeply(t *testing.T) {
	first := Examples()[0]
	if first.Name != "welcome" || strings.Count(first.Query, "relations(") < 3 {
		t.Errorf("GraphiQL opens on %s, which has no three levels", first.Name)
	}
}
