package neo4jstore_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"chancery/graph"
	"chancery/graph/neo4jstore"
	"chancery/graph/neo4jstore/neo4jtest"
)

func holder(t *testing.T, s *neo4jstore.Store, name string, at graph.Instant) {
	t.Helper()
	lease, err := s.Lease(t.Context(), graph.LeaseRequest{Holder: name, Token: name, Now: at, Until: at + 1})
	if err != nil || lease.Holder != name {
		t.Fatalf("%+v, %v", lease, err)
	}
	if err := s.Apply(t.Context(), &graph.Batch{Lease: name, At: at, Dataset: &graph.Dataset{Name: name, RecordedAt: at}}); err != nil {
		t.Fatal(err)
	}
}

// datasets are the names of what a reader sees.
func datasets(ctx context.Context, s *neo4jstore.Store) (names []string, err error) {
	err = s.Read(ctx, func(tx graph.Reader) error {
		found, err := tx.Datasets(ctx)
		for _, d := range found {
			names = append(names, d.Name)
		}
		return err
	})
	return names, err
}

// TestAddresses: the store is the same by every kind of address, with and
// without routing and TLS, and a read after a write sees it.
func TestAddresses(t *testing.T) {
	opts := neo4jtest.Options(t)
	neo4jtest.Wipe(t, opts)
	_, host, _ := strings.Cut(opts.URI, "://")
	at := graph.Instant(1_000_000)
	for _, scheme := range []string{"bolt", "neo4j", "bolt+ssc", "neo4j+ssc"} {
		t.Run(scheme, func(t *testing.T) {
			o := opts
			o.URI = scheme + "://" + host
			s, err := neo4jstore.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close(context.Background()) }()
			for i := range 20 {
				name := scheme + string(rune('a'+i))
				at += 10
				holder(t, s, name, at)
				names, err := datasets(t.Context(), s)
				if err != nil || !contains(names, name) {
					t.Fatalf("%v, %v: the read does not see the write of %s", names, err, name)
				}
			}
		})
	}
	web := refuseAll(t)
	says := map[string]string{
		"a certificate that nobody signed": "+ssc", "a wrong password": "NEO4J_PASSWORD",
		"the system database": "NEO4J_DATABASE", "a web server": "the port for Bolt", "nobody there": "cannot be reached",
	}
	for name, change := range map[string]func(*neo4jstore.Options){
		"a certificate that nobody signed": func(o *neo4jstore.Options) { o.URI = "bolt+s://" + host },
		"a wrong password":                 func(o *neo4jstore.Options) { o.Password = "hunter2-is-wrong" },
		"the system database":              func(o *neo4jstore.Options) { o.Database = "System" },
		"a web server":                     func(o *neo4jstore.Options) { o.URI = "bolt://" + web.Addr().String() },
		"nobody there":                     func(o *neo4jstore.Options) { o.URI = "neo4j://127.0.0.1:1" },
	} {
		o := opts
		o.OpenTimeout = 10 * time.Second
		change(&o)
		began := time.Now()
		s, err := neo4jstore.Open(t.Context(), o)
		if err == nil {
			_ = s.Close(context.Background())
			t.Errorf("%s: it opens", name)
			continue
		}
		for _, leak := range []string{"hunter2", "Neo.ClientError", "ServiceUnavailable", "TransientError", "x509", "goroutine"} {
			if strings.Contains(err.Error(), leak) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if time.Since(began) > o.OpenTimeout+time.Minute {
			t.Errorf("%s: it took %v", name, time.Since(began))
		}
		if !strings.Contains(err.Error(), says[name]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// refuseAll answers as a web server does to what is no HTTP.
func refuseAll(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = c.Read(make([]byte, 64))
				_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
				_ = c.Close()
			}()
		}
	}()
	return listener
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// line stands between the store and Neo4j, and can be cut.
type line struct {
	listener net.Listener
	to       string

	mu     sync.Mutex
	state  string // "", "cut" or "silent"
	conns  map[net.Conn]struct{}
	halves sync.WaitGroup
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	l := &line{to: to, conns: map[net.Conn]struct{}{}}
	var err error
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.listener.Accept()
			if err != nil {
				return
			}
			go l.carry(c)
		}
	}()
	t.Cleanup(func() {
		_ = l.listener.Close()
		l.set("cut")
		l.halves.Wait()
	})
	return l
}

func (l *line) carry(c net.Conn) {
	l.mu.Lock()
	state := l.state
	if state == "cut" {
		l.mu.Unlock()
		_ = c.Close()
		return
	}
	l.conns[c] = struct{}{}
	l.mu.Unlock()
	d, err := net.Dial("tcp", l.to)
	if err != nil {
		_ = c.Close()
		return
	}
	l.mu.Lock()
	l.conns[d] = struct{}{}
	l.mu.Unlock()
	pass := func(to, from net.Conn) {
		defer l.halves.Done()
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			l.mu.Lock()
			silent := l.state == "silent"
			l.mu.Unlock()
			if n > 0 && !silent { // what is said into the silence is lost
				if _, err := to.Write(buffer[:n]); err != nil {
					break
				}
			}
			if err != nil {
				break
			}
		}
		_ = to.Close()
		_ = from.Close()
	}
	l.halves.Add(2)
	go pass(d, c)
	go pass(c, d)
}

func (l *line) set(state string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
	if state != "silent" { // after a silence, as after a cut, connections begin anew
		for c := range l.conns {
			_ = c.Close()
		}
		clear(l.conns)
	}
}

// TestOutages: twenty times, Neo4j cannot be reached any more while questions
// run: its connections break, or it falls silent. Every question ends within
// its time, most with graph.ErrUnavailable, and the same store serves again
// once Neo4j is back.
func TestOutages(t *testing.T) {
	opts := neo4jtest.Options(t)
	neo4jtest.Wipe(t, opts)
	u, err := url.Parse(opts.URI)
	if err != nil {
		t.Fatal(err)
	}
	l := newLine(t, u.Host)
	opts.URI = "bolt://" + l.listener.Addr().String()
	s, err := neo4jstore.Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close(context.Background()) }()
	const limit = 2 * time.Second
	for i := range 20 {
		state := []string{"cut", "silent"}[i%2]
		stop := make(chan struct{})
		var asking sync.WaitGroup
		for range 4 {
			asking.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					ctx, cancel := context.WithTimeout(t.Context(), limit)
					began := time.Now()
					_, err := datasets(ctx, s)
					took := time.Since(began)
					cancel()
					if took > limit+time.Minute {
						t.Errorf("outage %d (%s): a question took %v", i, state, took)
					}
					if err != nil && !errors.Is(err, graph.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("outage %d (%s): %v", i, state, err)
					}
					if err != nil {
						time.Sleep(20 * time.Millisecond)
					}
				}
			})
		}
		time.Sleep(100 * time.Millisecond)
		l.set(state)
		time.Sleep(700 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		if _, err := datasets(ctx, s); err == nil {
			t.Errorf("outage %d (%s): there was an answer", i, state)
		}
		cancel()
		l.set("")
		deadline := time.Now().Add(10 * time.Second)
		for {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			_, err := datasets(ctx, s)
			cancel()
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("outage %d (%s): Neo4j is back, and the store says %v", i, state, err)
			}
		}
		close(stop)
		asking.Wait()
	}
}
