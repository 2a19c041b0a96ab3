package open

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"chancery/graph"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestLocate(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := env(EnvURI, "bolt://e:7687", EnvUsername, "u", EnvPassword, "hunter2", EnvDatabase, "d")
	cases := []struct {
		dsn  string
		env  func(string) string
		want Location
	}{
		{"", env(), Location{path: "chancery.db"}},
		{"", all, Location{uri: "bolt://e:7687", username: "u", password: "hunter2", database: "d"}},
		{"sqlite:x.db", all, Location{path: "x.db"}},
		{"sqlite:/var/x y.db", env(), Location{path: "/var/x y.db"}},
		{"sqlite:///var/x.db", env(), Location{path: "/var/x.db"}},
		{"SQLite:x.db", env(), Location{path: "x.db"}},
		{"neo4j://h", env(), Location{uri: "neo4j://h"}},
		{"neo4j://h/", env(), Location{uri: "neo4j://h"}},
		{"neo4j+s://h:1?policy=eu", all, Location{uri: "neo4j+s://h:1?policy=eu", username: "u", password: "hunter2", database: "d"}},
		{"neo4j+ssc://h", env(EnvPassword, "hunter2"), Location{uri: "neo4j+ssc://h", username: "neo4j", password: "hunter2"}},
		{"bolt://[::1]:7687", env(EnvUsername, "u", EnvPasswordFile, secret), Location{uri: "bolt://[::1]:7687", username: "u", password: "hunter2"}},
		{"bolt+s://h", env(), Location{uri: "bolt+s://h"}},
		{"bolt+ssc://h", env(), Location{uri: "bolt+ssc://h"}},
	}
	for _, c := range cases {
		got, err := Locate(c.dsn, c.env)
		if err != nil || got != c.want {
			t.Errorf("%s: %#v, %v; want %#v", c.dsn, got, err, c.want)
		}
		for _, text := range []string{got.String(), fmt.Sprintf("%v %+v %#v", got, got, got)} {
			if strings.Contains(text, "hunter2") {
				t.Errorf("%s shows the password: %s", c.dsn, text)
			}
		}
	}
}

func TestLocateRefuses(t *testing.T) {
	cases := []struct {
		dsn  string
		env  func(string) string
		says string
	}{
		{"chancery.db", env(), "sqlite:PATH"},
		{"localhost", env(), "neo4j://"},
		{"u:hunter2@h", env(), "sqlite:PATH"},
		{"postgres://u:hunter2@h/db", env(), `unknown scheme "postgres"`},
		{"sqlite:", env(), "names no file"},
		{"sqlite::memory:", env(), "kept in a file"},
		{"sqlite://x.db", env(), "sqlite:x.db"},
		{"http://localhost:7474", env(), "neo4j://HOST:7687"},
		{"neo4j://u:hunter2@h", env(), EnvPasswordFile},
		{"neo4j://u@h", env(), EnvUsername},
		{"", env(EnvURI, "bolt://u:hunter2@h"), EnvURI + " holds"},
		{"bolt://hunter2%zz@h", env(), "no valid address"},
		{"neo4j://", env(), "names no host"},
		{"neo4j:h", env(), "names no host"},
		{"neo4j://h/movies", env(), EnvDatabase},
		{"neo4j://h", env(EnvUsername, "u"), EnvPassword},
		{"neo4j://h", env(EnvPassword, "hunter2", EnvPasswordFile, "f"), "keep one"},
		{"neo4j://h", env(EnvPasswordFile, "/no/such/file"), "/no/such/file"},
		{"neo4j://h", env(EnvPasswordFile, os.DevNull), "empty"},
	}
	for _, c := range cases {
		got, err := Locate(c.dsn, c.env)
		if err == nil {
			t.Errorf("%s: %v", c.dsn, got)
			continue
		}
		if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v; want %q in it and no secret", c.dsn, err, c.says)
		}
	}
}

func TestOpenFile(t *testing.T) {
	l, err := Locate("sqlite:"+filepath.Join(t.TempDir(), "x.db"), env())
	if err != nil {
		t.Fatal(err)
	}
	if !l.Missing() {
		t.Error("a new file is not missing")
	}
	store, err := l.Open(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l.Missing() {
		t.Error("the file is missing after it was made")
	}
	l, _ = Locate("sqlite:"+filepath.Join(t.TempDir(), "no", "x.db"), env())
	if store, err := l.Open(t.Context(), nil); err == nil || store != nil || !strings.Contains(err.Error(), "no") {
		t.Error(store, err)
	}
}

func TestOpenServerThatIsNotThere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close()
	l, err := Locate("bolt://"+addr, env(EnvPassword, "hunter2"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	store, err := l.Open(ctx, slog.New(slog.DiscardHandler))
	if !errors.Is(err, graph.ErrUnavailable) || store != nil || !strings.Contains(err.Error(), addr) || strings.Contains(err.Error(), "hunter2") {
		t.Error(store, err)
	}
}
