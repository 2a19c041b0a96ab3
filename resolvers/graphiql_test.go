package resolvers

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestGraphiQL(t *testing.T) {
	w := httptest.NewRecorder()
	NewHandler(emptyStore(t), Options{Logger: noLog()}).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
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

	// What the page runs is what its policy allows: its own script by hash,
	// and files that are pinned by version and hash.
	policy := w.Header().Get("Content-Security-Policy")
	for _, m := range regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(page, -1) {
		hash := sha256.Sum256([]byte(m[1]))
		if !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+"'") {
			t.Errorf("the policy %s does not allow %s", policy, m[1])
		}
	}
	files := regexp.MustCompile(`(?:src|href)="(https:[^"]*)"([^>]*)>`).FindAllStringSubmatch(page, -1)
	if len(files) != 4 {
		t.Errorf("%d files", len(files))
	}
	for _, f := range files {
		if !regexp.MustCompile(`@\d+\.\d+\.\d+/`).MatchString(f[1]) || !strings.Contains(f[2], `integrity="sha384-`) || !strings.Contains(f[2], `crossorigin="anonymous"`) {
			t.Errorf("%s is not pinned", f[0])
		}
	}
	if strings.Contains(policy, "script-src 'unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Error(policy)
	}
}

func TestExamplesAskDeeply(t *testing.T) {
	first := Examples()[0]
	if first.Name != "welcome" || strings.Count(first.Query, "relations(") < 3 {
		t.Errorf("GraphiQL opens on %s, which has no three levels", first.Name)
	}
}
