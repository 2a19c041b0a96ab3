package access

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"chancery/graph"
)

// tokenPrefix begins every token, so that tools that look for leaked secrets
// can tell them.
const tokenPrefix = "chy_"

// names are what a token may be called.
var names = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)

// NewToken makes a token of 256 random bits, and the line that lets it in:
//
//	NAME SHA256 [EXPIRES]
//
// The zero time never expires. The token itself is kept nowhere.
//
// The file holds SHA-256 hashes and not those of a slow password hash: a token
// cannot be guessed, so that there is nothing to slow down, and every request
// hashes one.
func NewToken(name string, expires time.Time, random io.Reader) (token, line string, err error) {
	if !names.MatchString(name) {
		return "", "", fmt.Errorf("%q is no name of a token: it is to be 1 to 64 letters, digits, or . _ @ -, and to begin with a letter or digit", name)
	}
	var secret [32]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return "", "", err
	}
	token = tokenPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
	sum := sha256.Sum256([]byte(token))
	line = name + " " + hex.EncodeToString(sum[:])
	if !expires.IsZero() {
		line += " " + expires.UTC().Format(time.RFC3339)
	}
	return token, line, nil
}

// grant is a line of a token file.
type grant struct {
	name    string
	expires time.Time // zero for never
}

// maxTokenFile bounds what is read of a token file: 4 MiB.
const maxTokenFile = 4 << 20

// parseTokens reads a token file. The result is by hash: finding one takes the
// same time wherever it stands, and what a stranger learns from the time is
// about the hash of a guess and not about a token.
func parseTokens(file string, text []byte) (map[[sha256.Size]byte]grant, error) {
	grants := map[[sha256.Size]byte]grant{}
	seen := map[string]int{}
	var problems graph.Problems
	number := 0
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxTokenFile+1)
	for lines.Scan() {
		number++
		line := strings.TrimSuffix(lines.Text(), "\r")
		if number == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		problem := func(column int, format string, args ...any) {
			problems = append(problems, graph.Problem{File: file, Line: number, Column: column, Message: fmt.Sprintf(format, args...)})
		}
		if !utf8.ValidString(line) {
			problem(1, "the line is not UTF-8")
			continue
		}
		fields, columns := split(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) < 2 || len(fields) > 3 {
			problem(columns[0], "a line is NAME SHA256 [EXPIRES]; chancery token prints one")
			continue
		}
		good := true
		bad := func(i int, format string, args ...any) {
			good = false
			problem(columns[i], format, args...)
		}
		if !names.MatchString(fields[0]) {
			bad(0, "this is no name of a token: it is to be 1 to 64 letters, digits, or . _ @ -, and to begin with a letter or digit")
		} else if first, twice := seen[fields[0]]; twice {
			bad(0, "the name %s stands in line %d already", fields[0], first)
		}
		seen[fields[0]] = number
		var hash [sha256.Size]byte
		switch n, err := hex.Decode(hash[:], []byte(fields[1][:min(len(fields[1]), 2*sha256.Size)])); {
		case strings.HasPrefix(fields[1], tokenPrefix):
			bad(1, "this is a token, and its hash is to stand here; make a new one with chancery token, since this one can be read by others")
		case err != nil || n != sha256.Size || len(fields[1]) != 2*sha256.Size:
			bad(1, "this is no SHA-256 hash of 64 hexadecimal digits; chancery token prints one")
		default:
			if other, twice := grants[hash]; twice {
				bad(1, "the token of %s has the same hash", other.name)
			}
		}
		g := grant{name: fields[0]}
		if len(fields) == 3 {
			var err error
			if g.expires, err = ParseExpiry(fields[2]); err != nil {
				bad(2, "%v", err)
			}
		}
		if good {
			grants[hash] = g
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return grants, nil
}

// split cuts a line at spaces and tabs; columns count from 1, in bytes.
func split(line string) (fields []string, columns []int) {
	start := -1
	for i := 0; i <= len(line); i++ {
		if i < len(line) && line[i] != ' ' && line[i] != '\t' {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			fields, columns = append(fields, line[start:i]), append(columns, start+1)
			start = -1
		}
	}
	return fields, columns
}

// ParseExpiry reads when a token ends: an RFC 3339 time, or a day, at the end
// of which (UTC) it does.
func ParseExpiry(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t.UTC(), nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, 1), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time; write a day such as 2027-01-31, or an RFC 3339 time such as 2027-01-31T12:00:00Z", text)
}

// Tokens checks tokens against a file, which is read again when it has
// changed, so that a token can be taken back without a restart. A file that has
// become unreadable or wrong leaves the tokens as they were.
type Tokens struct {
	path   string
	now    func() time.Time
	logger *slog.Logger

	mu      sync.Mutex
	grants  map[[sha256.Size]byte]grant
	state   fileState
	checked time.Time
}

// fileState tells whether a file has changed.
type fileState struct {
	size    int64
	changed time.Time
	info    fs.FileInfo
}

func (s fileState) same(o fileState) bool {
	return s.size == o.size && s.changed.Equal(o.changed) && os.SameFile(s.info, o.info)
}

// recheck is how often a file is looked at, at most.
const recheck = time.Second

// OpenTokens reads a token file. It refuses one that everybody may write to,
// and warns of one that everybody may read. What is wrong with its lines is
// returned as [graph.Problems].
func OpenTokens(path string, now func() time.Time, logger *slog.Logger) (*Tokens, error) {
	t := &Tokens{path: path, now: now, logger: logger}
	if err := t.read(); err != nil {
		return nil, err
	}
	for _, g := range t.grants {
		if !g.expires.IsZero() && !g.expires.After(now()) {
			logger.Warn("a token has expired", "file", path, "name", g.name, "expired", g.expires)
		}
	}
	if len(t.grants) == 0 {
		logger.Warn("the token file lets nobody in; chancery token makes tokens", "file", path)
	}
	t.checked = now()
	return t, nil
}

func (t *Tokens) read() error {
	file, err := os.Open(t.path)
	if err != nil {
		return cannotRead(t.path, err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return cannotRead(t.path, err)
	}
	if info.IsDir() {
		return fmt.Errorf("cannot read %s: it is a directory", t.path)
	}
	if info.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("%s can be written by everybody on this machine, so that anybody could let themselves in; run chmod 600 %s", t.path, t.path)
	}
	if info.Mode().Perm()&0o004 != 0 {
		t.logger.Warn("the token file can be read by everybody on this machine; run chmod 600", "file", t.path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	if err != nil {
		return cannotRead(t.path, err)
	}
	if len(text) > maxTokenFile {
		return fmt.Errorf("%s is larger than %d bytes", t.path, maxTokenFile)
	}
	grants, err := parseTokens(t.path, text)
	if err != nil {
		return err
	}
	t.grants, t.state = grants, fileState{info.Size(), info.ModTime(), info}
	return nil
}

func cannotRead(path string, err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		err = e.Err
	}
	return fmt.Errorf("cannot read %s: %w", path, err)
}

// refresh reads the file again if it has changed.
func (t *Tokens) refresh() {
	now := t.now()
	if now.Sub(t.checked) < recheck && !now.Before(t.checked) {
		return
	}
	t.checked = now
	info, err := os.Stat(t.path)
	if err == nil && t.state.same(fileState{info.Size(), info.ModTime(), info}) {
		return
	}
	if err == nil {
		err = t.read()
	}
	if err != nil {
		t.logger.Error("the token file cannot be read again; the tokens stay as they were", "file", t.path, "error", err)
		if info != nil { // do not say so every second
			t.state = fileState{info.Size(), info.ModTime(), info}
		}
		return
	}
	t.logger.Info("the token file was read again", "file", t.path, "tokens", len(t.grants))
}

// Check implements [Verifier].
func (t *Tokens) Check(_ context.Context, token string) (name string, until time.Time, err error) {
	sum := sha256.Sum256([]byte(token))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refresh()
	g, ok := t.grants[sum]
	if !ok || !g.expires.IsZero() && !g.expires.After(t.now()) {
		return "", time.Time{}, ErrInvalid
	}
	return g.name, g.expires, nil
}
