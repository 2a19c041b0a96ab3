package neo4jtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"chancery/graph/neo4jstore"
)

// Server is a Neo4j of a test's own, which the test may stop, crash and import
// into. The common one goes on, warm, for all the others.
type Server struct {
	t    testing.TB
	home string
}

// NewServer makes a home for a server, which is ended with the test. It skips
// or fails the test as [Options] does, and skips it where the common server is
// one that neo4j/with did not start and this machine cannot run another. Until the
// test ends it keeps other tests from the common database too, since tests that
// watch the clock need the processors.
func NewServer(t testing.TB) *Server {
	t.Helper()
	lock(t, Options(t))
	s := &Server{t, filepath.Join(t.TempDir(), "home")}
	if os.Getenv("CHANCERY_NEO4J_HOME") == "" {
		if out, err := s.command("install").CombinedOutput(); err != nil {
			t.Skipf("this machine cannot run a Neo4j of the test's own: %s", out)
		}
	}
	t.Cleanup(func() { _ = s.command("kill").Run() }) // before the home goes
	return s
}

// Run runs neo4j/server with a command, such as start or restart, for the home
// of this server.
func (s *Server) Run(command string, args ...string) {
	s.t.Helper()
	if out, err := s.command(command, args...).CombinedOutput(); err != nil {
		s.t.Fatalf("neo4j/server %s: %v\n%s", command, err, out)
	}
}

func (s *Server) command(command string, args ...string) *exec.Cmd {
	_, file, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(file), "..", "..", "..", "neo4j", "server")
	c := exec.Command(script, append([]string{command, "--home", s.home}, args...)...)
	c.Env = append(os.Environ(), "NEO4J_TLS=0")
	return c
}

// Options returns where the server is that was started.
func (s *Server) Options() neo4jstore.Options {
	s.t.Helper()
	read := func(name ...string) string {
		text, err := os.ReadFile(filepath.Join(append([]string{s.home}, name...)...))
		if err != nil {
			s.t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	bolt, _, _ := strings.Cut(read("run", "ports"), " ")
	return neo4jstore.Options{URI: "bolt://127.0.0.1:" + bolt, Username: "neo4j", Password: read("password"), Database: "neo4j"}
}
