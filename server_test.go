package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore/neo4jtest"
	"chancery/httpd"
)

const paris = "paris-talks-2025.yaml"

var binary struct {
	once sync.Once
	path string
	err  error
}

// build makes the program, once for all tests.
func build(t *testing.T) string {
	t.Helper()
	binary.once.Do(func() {
		dir, err := os.MkdirTemp("", "chancery-test-")
		if err != nil {
			binary.err = err
			return
		}
		binary.path = filepath.Join(dir, "chancery")
		if out, err := exec.Command("go", "build", "-o", binary.path, ".").CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

func TestMain(m *testing.M) {
	status := m.Run()
	if binary.path != "" {
		_ = os.RemoveAll(filepath.Dir(binary.path))
	}
	os.Exit(status)
}

// workshop makes an empty working directory with the data set in it.
func workshop(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("data", paris))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	writeFile(t, paris, string(data))
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fileNames are the names of what is in a directory.
func fileNames(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

type result struct {
	status         int
	stdout, stderr string
}

// call runs the program with an environment that is empty but for pairs.
func call(t *testing.T, stdin string, args []string, pairs ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, environment(pairs...), strings.NewReader(stdin), &stdout, &stderr)
	return result{status, stdout.String(), stderr.String()}
}

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestCalls(t *testing.T) {
	workshop(t)
	writeFile(t, "bad.yaml", "types:\n  - {name: SANG_TO, nature: sometimes}\n")
	writeFile(t, "list.json", "[]")
	writeFile(t, "two.graphql", "query A($n: Int) { relations(first: $n) { totalCount } } query B { vocabulary { families } }")
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	cases := []struct {
		name   string
		args   []string
		env    []string
		status int
		stdout string // pattern
		stderr string // pattern
	}{
		{"nothing", nil, nil, 0, `chancery serve --load`, `^$`},
		{"help", []string{"serve", "--help"}, nil, 0, `(?s)--addr HOST:PORT.*--load FILE.*--store STORE`, `^$`},
		{"version", []string{"version"}, nil, 0, `^chancery \S+ go1`, `^$`},
		{"unknown command", []string{"sing"}, nil, 2, `^$`, `unknown command "sing"`},
		{"unknown flag", []string{"serve", "--port", "1"}, nil, 2, `^$`, `unknown flag: --port(?s).*serve --help`},
		{"serve with a file", []string{"serve", paris}, nil, 2, `^$`, `--load ` + paris},
		{"address without port", []string{"serve", "--addr", "localhost"}, nil, 2, `^$`, `HOST:PORT`},
		{"port in use", []string{"serve", "--addr", busy.Addr().String()}, nil, 1, `^$`, `in use(?s).*--addr`},
		{"unknown scheme", []string{"serve", "--store", "postgres://h"}, nil, 2, `^$`, `"postgres"; a store is sqlite:PATH`},
		{"password in the store", []string{"load", paris, "--store", "neo4j://u:hunter2@h"}, nil, 2, `^$`, `NEO4J_PASSWORD_FILE`},
		{"password in the environment's address", []string{"load", paris}, []string{"NEO4J_URI", "neo4j://u:hunter2@h"}, 2, `^$`, `NEO4J_URI holds`},
		{"load of nothing", []string{"load"}, nil, 2, `^$`, `at least one file`},
		{"report", []string{"load", paris, "--report", "xml"}, nil, 2, `^$`, `text or json`},
		{"load of a file that is not there", []string{"load", "none.yaml"}, nil, 1, `^$`, `^none.yaml: cannot be read: no such file`},
		{"its report for programs", []string{"load", "none.yaml", "nor.yaml", "--report", "json"}, nil, 1,
			`(?s)^{.*"file": "none.yaml".*"message": "cannot be read: no such file.*"file": "nor.yaml".*"error": "2 problems in 2 files; nothing was written"\n}\n$`, `(?m)^nor.yaml: cannot`},
		{"the report for programs without a store", []string{"load", paris, "--report", "json", "--store", "bolt://127.0.0.1:1"}, nil, 1,
			`(?s)^{.*"loads": \[\],\s*"problems": \[\],\s*"error": "Neo4j at bolt://127.0.0.1:1: .*}\n$`, `cannot be reached`},
		{"vocabulary that is not there", []string{"load", paris, "--vocabulary", "none.yaml"}, nil, 1, `^$`, `error: cannot read none.yaml: no such file`},
		{"bad vocabulary", []string{"load", paris, "--vocabulary", "bad.yaml"}, nil, 1, `^$`, `(?m)^bad.yaml:\d+:\d+: `},
		{"query of nothing", []string{"query"}, nil, 2, `^$`, `one file`},
		{"query of a file that is not there", []string{"query", "none.graphql"}, nil, 1, `^$`, `error: cannot read none.graphql`},
		{"output", []string{"query", "two.graphql", "--output", "xml"}, nil, 2, `^$`, `json, table or csv`},
		{"all from standard input", []string{"query", "-", "--variables", "-"}, nil, 2, `^$`, `standard input`},
		{"variables", []string{"query", "two.graphql", "--variables", "list.json"}, nil, 1, `^$`, `list.json is to hold a JSON object`},
		{"variable without value", []string{"query", "two.graphql", "--operation", "A", "--var", "n"}, nil, 2, `^$`, `NAME=VALUE`},
		{"variable twice", []string{"query", "two.graphql", "--operation", "A", "--var", "n=1", "--var", "n=2"}, nil, 2, `^$`, `twice`},
		{"unknown variable", []string{"query", "two.graphql", "--operation", "A", "--var", "m=1"}, nil, 2, `^$`, `has \$n: Int`},
		{"variable of another type", []string{"query", "two.graphql", "--operation", "A", "--var", "n=x"}, nil, 2, `^$`, `"x" is no whole number`},
		{"no store yet", []string{"query", "two.graphql", "--operation", "A", "--store", "sqlite:none.db"}, nil, 1, `^$`, `no store in the file none.db yet`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, "", c.args, c.env...)
			if got.status != c.status || !regexp.MustCompile(c.stdout).MatchString(got.stdout) || !regexp.MustCompile(c.stderr).MatchString(got.stderr) {
				t.Errorf("status %d, want %d\nstdout: %s\nstderr: %s", got.status, c.status, got.stdout, got.stderr)
			}
			if strings.Contains(got.stdout+got.stderr, "hunter2") {
				t.Error("the password is shown")
			}
		})
	}
}

func TestLoadThenQuery(t *testing.T) {
	workshop(t)
	dry := call(t, "", []string{"load", "--dry-run", paris})
	if dry.status != 0 || !strings.Contains(dry.stdout, "nothing was written") {
		t.Fatal(dry)
	}
	if _, err := os.Stat("chancery.db"); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("a dry run made the store")
	}
	if got := call(t, "", []string{"load", paris}); got.status != 0 || !strings.Contains(got.stdout, "recorded at") {
		t.Fatal(got)
	}
	if got := call(t, "", []string{"load", paris}); got.status != 0 || !strings.Contains(got.stdout, "nothing changed") {
		t.Fatal(got)
	}
	got := call(t, `{ leaders(first: 1) { nodes { holder { name } } } }`, []string{"query", "-"})
	if got.status != 0 || !strings.Contains(got.stdout, "Emmanuel Macron") || got.stderr != "" {
		t.Fatal(got)
	}
}

func TestDryRunRemembersNoVocabulary(t *testing.T) {
	workshop(t)
	if got := call(t, "", []string{"load", paris}); got.status != 0 {
		t.Fatal(got)
	}
	writeFile(t, "more.yaml", `types:
  - {name: SANG_TO, nature: act, infinitive: sing to, past: sang to, participle: sung to, passive: sung to by}
`)
	writeFile(t, "song.yaml", `dataset: song
entities:
  a: {kind: Person, name: A}
  b: {kind: Person, name: B}
relations:
  - {id: s, type: SANG_TO, source: a, target: b, date: 2025-12-01}
`)
	ask := func() bool {
		got := call(t, `{ vocabulary { type(name: "SANG_TO") { name } } }`, []string{"query", "-"})
		return strings.Contains(got.stdout, "SANG_TO")
	}
	if got := call(t, "", []string{"load", "--dry-run", "--vocabulary", "more.yaml", "song.yaml"}); got.status != 0 {
		t.Fatal(got)
	}
	if ask() {
		t.Fatal("the dry run taught the store a type")
	}
	if got := call(t, "", []string{"load", "--vocabulary", "more.yaml", "song.yaml"}); got.status != 0 {
		t.Fatal(got)
	}
	if !ask() {
		t.Fatal("the store did not learn the type")
	}
}

// output collects what a program writes while it runs.
type output struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all.String()
}

// await waits until what was written matches, and returns the first group. A
// Neo4j that has just started, beside other work, may take most of a minute.
func (o *output) await(t *testing.T, pattern string) string {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(o.String()); m != nil {
			return m[len(m)-1]
		}
	}
	t.Fatalf("%q is not in: %s", pattern, o)
	return ""
}

func TestServe(t *testing.T) {
	workshop(t)
	for _, says := range []string{"recorded at", "nothing changed"} {
		ctx, stop := context.WithCancel(t.Context())
		var stderr output
		status := make(chan int, 1)
		go func() {
			status <- run(ctx, []string{"serve", "--load", paris, "--addr", "127.0.0.1:0"}, environment(), nil, io.Discard, &stderr)
		}()
		base := strings.TrimSuffix(stderr.await(t, `GraphiQL  (http://127\.0\.0\.1:\d+/)\n`), "/")
		stderr.await(t, "Ctrl-C stops it")
		if s := stderr.String(); !strings.Contains(s, says) || !strings.Contains(s, base+"/graphql") || strings.Contains(s, "WARNING") || strings.Contains(s, "empty") {
			t.Errorf("it does not say %q: %s", says, s)
		}
		resp, err := http.Post(base+"/graphql", "application/json", strings.NewReader(`{"query": "{ entity(id: \"person/emmanuel-macron\") { name } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || string(body) != `{"data":{"entity":{"name":"Emmanuel Macron"}}}` {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
		_ = resp.Body.Close()
		stop()
		if s := <-status; s != 0 {
			t.Errorf("status %d: %s", s, &stderr)
		}
	}
}

// TestServeElsewhere: off this machine, nobody is served without a token.
func TestServeElsewhere(t *testing.T) {
	t.Chdir(t.TempDir())
	var out, stderr output
	if s := run(t.Context(), []string{"serve", "--addr", "0.0.0.0:0"}, environment(), nil, io.Discard, &stderr); s != exitUsage || !strings.Contains(stderr.String(), "--token-file FILE") {
		t.Fatalf("%d %s", s, &stderr)
	}
	if _, err := os.Stat("chancery.db"); err == nil {
		t.Error("a store was made")
	}
	var secret output
	if s := run(t.Context(), []string{"token", "newsroom"}, environment(), nil, &out, &secret); s != 0 {
		t.Fatal(&secret)
	}
	if err := os.WriteFile("tokens", []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	status := make(chan int, 1)
	stderr = output{}
	go func() {
		status <- run(ctx, []string{"serve", "--addr", "0.0.0.0:0", "--log-format", "json"}, environment("CHANCERY_TOKEN_FILE", "tokens"), nil, io.Discard, &stderr)
	}()
	stderr.await(t, "WARNING: tokens and answers cross the network in the clear")
	stderr.await(t, "The store is empty")
	url := stderr.await(t, `GraphQL   (http://localhost:\d+/graphql)`)
	if err := os.WriteFile("q.graphql", []byte("query Who { leaders { totalCount } }"), 0o600); err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]int{"": exitFailure, "chy_wrong": exitFailure, strings.TrimSpace(secret.String()): exitOK} {
		var answer, errs output
		if s := run(t.Context(), []string{"query", "q.graphql", "--url", url}, environment("CHANCERY_TOKEN", token), nil, &answer, &errs); s != want {
			t.Errorf("%q: %d %s%s", token, s, &answer, &errs)
		} else if want == exitFailure && !strings.Contains(errs.String(), "UNAUTHENTICATED") {
			t.Error(&errs)
		}
	}
	log := stderr.await(t, `(\{.*"operation":"Who".*\})`)
	if !strings.Contains(log, `"caller":"newsroom"`) || strings.Contains(stderr.String(), "chy_") {
		t.Error(stderr.String())
	}
	stop()
	if s := <-status; s != 0 {
		t.Error(s)
	}
}

// TestServeMisused: what is wrong with flags is said before anything is done.
func TestServeMisused(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"bad.yaml": "adr: 127.0.0.1:9\naddr: 127.0.0.1:0\naddr: x\nload: {a: b}\n", "list.yaml": "- a\n", "broken.yaml": "a: [", "public": "",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod("public", 0o666); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"--cors-origin https://a.example/path": "SCHEME://HOST[:PORT] without a path",
		"--tls-cert x":                         "--tls-cert and --tls-key go together",
		"--tls-cert x --tls-key y":             "--tls-cert x with --tls-key y",
		"--limit-depth 0":                      "--limit-depth is to be greater than zero",
		"--jwks x":                             "--jwt-issuer and --jwt-audience",
		"--jwks http://keys.example/a --jwt-issuer a --jwt-audience b": "https://",
		"--token-file none":         "cannot read none: no such file",
		"--token-file public":       "can be written by everybody",
		"--otlp-endpoint localhost": "--otlp-endpoint is to be an http",
		"--metrics-addr 0.0.0.0:0":  "--metrics-addr is to be on this machine",
		"--load none.yaml":          "none.yaml: cannot be read: no such file",
		"--log-level loud":          "--log-level can be debug",
		"--config none.yaml":        "cannot read none.yaml",
		"--config bad.yaml":         `bad.yaml:1:1: "adr" is no setting; did you mean addr?`,
		"--config bad.yaml ":        "bad.yaml:3:1: addr is given twice",
		"--config bad.yaml  ":       "bad.yaml:4:7: load is to be a single value, or a list of them",
		"--config list.yaml":        "list.yaml:1:1: the file is to be a list of KEY: VALUE",
		"--config broken.yaml":      "broken.yaml",
	} {
		var stderr output
		s := run(t.Context(), append([]string{"serve", "--addr", "127.0.0.1:0"}, strings.Fields(args)...), environment(), nil, io.Discard, &stderr)
		if s == exitOK || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: %d %s", args, s, &stderr)
		}
	}
	if _, err := os.Stat("chancery.db"); err == nil {
		t.Error("a store was made")
	}
}

// TestSettings: the command line comes before the environment, and the
// environment before the file.
func TestSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("chancery.yaml", []byte("# settings\nstore: sqlite:file.db\nlog-format: json\ncors-origin: [https://a.example, https://b.example]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  []string
		env   []string
		store string
	}{
		{nil, nil, "file.db"},
		{nil, []string{"CHANCERY_STORE", "sqlite:env.db"}, "env.db"},
		{[]string{"--store", "sqlite:flag.db"}, []string{"CHANCERY_STORE", "sqlite:env.db"}, "flag.db"},
	} {
		ctx, stop := context.WithCancel(t.Context())
		var stderr output
		status := make(chan int, 1)
		go func() {
			status <- run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0", "--config", "chancery.yaml"}, c.args...), environment(c.env...), nil, io.Discard, &stderr)
		}()
		stderr.await(t, "serves the file "+c.store)
		url := stderr.await(t, `GraphQL   (http://.*/graphql)`)
		for origin, allowed := range map[string]string{"https://b.example": "https://b.example", "https://c.example": ""} {
			request, _ := http.NewRequest(http.MethodOptions, url, nil)
			request.Header.Set("Origin", origin)
			request.Header.Set("Access-Control-Request-Method", "POST")
			resp, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if got := resp.Header.Get("Access-Control-Allow-Origin"); got != allowed {
				t.Errorf("%s: %q", origin, got)
			}
		}
		stop()
		if s := <-status; s != 0 {
			t.Errorf("%d %s", s, &stderr)
		}
	}
}

// slowStore answers when it is told to.
type slowStore struct {
	graph.Store
	asked, answer chan struct{}
}

func (s slowStore) Read(context.Context, func(graph.Reader) error) error {
	close(s.asked)
	<-s.answer
	return graph.ErrUnavailable
}

func TestRunningRequestsAreFinished(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var stderr output
	c := &cli{stderr: &stderr, logLevel: "info"}
	store := slowStore{asked: make(chan struct{}), answer: make(chan struct{})}
	served := make(chan error, 1)
	go func() { served <- c.serveOn(ctx, listener, store, httpd.Options{Logger: c.logger()}) }()
	answered := make(chan string, 1)
	go func() {
		resp, err := http.Post("http://"+listener.Addr().String()+"/graphql", "application/json", strings.NewReader(`{"query": "{ entity(id: \"a\") { id } }"}`))
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	<-store.asked
	stop()
	stderr.await(t, "Stopping")
	select {
	case err := <-served:
		t.Fatal("it did not wait for the request:", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(store.answer)
	if body := <-answered; !strings.Contains(body, "STORE_UNAVAILABLE") {
		t.Error(body)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestSignals runs the real program.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("Windows sends no SIGTERM")
		return
	}
	program := build(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		var stderr output
		command := exec.Command(program, "serve", "--addr", "127.0.0.1:0", "--store", "sqlite:"+filepath.Join(t.TempDir(), "x.db"))
		command.Stderr = &stderr
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		stderr.await(t, "Ctrl-C stops it")
		if err := command.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); err != nil {
			t.Errorf("%v: %v: %s", signal, err, &stderr)
		}
	}
}

// TestInterruptedOpening: a command that is stopped before its store is open
// says so, and not what the store made of it.
func TestInterruptedOpening(t *testing.T) {
	stopped := func(t *testing.T, dsn string) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for _, args := range [][]string{{"load", "data/" + paris}, {"export"}, {"forget", "person/nobody"}} {
			var stderr bytes.Buffer
			s := run(ctx, append(args, "--store", dsn), os.Getenv, strings.NewReader(""), io.Discard, &stderr)
			if s != exitFailure || !strings.HasPrefix(stderr.String(), "error: interrupted") {
				t.Errorf("%s: exit %d, %s", args[0], s, stderr.String())
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		dsn, open := sqliteForKills(t)
		_ = open() // the file must be there
		stopped(t, dsn)
	})
	t.Run("neo4j", func(t *testing.T) {
		opts := neo4jtest.Options(t)
		neo4jtest.Wipe(t, opts)
		stopped(t, opts.URI)
	})
}
