package graph

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"slices"
)

// Hash is the first half of a SHA-256 over a canonical encoding.
type Hash [16]byte

// String gives 32 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what [Hash.String] writes.
func ParseHash(s string) (Hash, error) {
	var h Hash
	if b, err := hex.DecodeString(s); err != nil || len(b) != len(h) {
		return h, fmt.Errorf("a hash is 32 hexadecimal digits, not %q", s)
	} else {
		copy(h[:], b)
	}
	return h, nil
}

// HashText identifies a text: where many are remembered, hashes take less room.
func HashText(s string) (h Hash) {
	sum := sha256.Sum256([]byte(s))
	copy(h[:], sum[:])
	return h
}

// digest writes values, each with its length, so that no two sequences of
// values encode alike.
type digest struct {
	h   hash.Hash
	buf []byte
}

func newDigest(domain string) *digest {
	d := &digest{h: sha256.New(), buf: make([]byte, 0, 512)}
	d.text(domain)
	return d
}

func (d *digest) number(n uint64) { d.buf = binary.AppendUvarint(d.buf, n) }

func (d *digest) text(s string) {
	d.number(uint64(len(s)))
	d.buf = append(d.buf, s...)
}

func (d *digest) texts(ss []string) {
	d.number(uint64(len(ss)))
	for _, s := range ss {
		d.text(s)
	}
}

func (d *digest) float(f *float64) {
	if f == nil {
		d.number(0)
		return
	}
	d.number(1)
	d.buf = binary.BigEndian.AppendUint64(d.buf, math.Float64bits(*f))
}

// date writes a date without the part of it that the moment of recording fills.
func (d *digest) date(v *Date) {
	d.text(v.EDTF)
	d.text(string(v.Basis))
	d.number(uint64(v.Earliest))
	d.number(uint64(v.CertainFrom))
	if v.OpenAsOfRecording {
		d.number(math.MaxUint32)
	} else {
		d.number(uint64(v.CertainTo))
	}
	d.number(uint64(v.Latest))
}

func (d *digest) sum() (out Hash) {
	d.h.Write(d.buf)
	copy(out[:], d.h.Sum(nil))
	return out
}

// ContentHash identifies what a relation says: everything but the data set,
// the moments of recording and the id. Two versions with the same hash are the
// same version. It must be taken before [Date.RecordedOn] fills the date.
func (r *Relation) ContentHash() Hash {
	d := newDigest("relation")
	for _, s := range []string{r.Type, r.Source, r.Target, string(r.Status), r.ClaimedBy, r.SourceAs, r.TargetAs,
		r.AccreditedTo, r.Event, r.Unit, r.Note, r.CAMEO, r.Family} {
		d.text(s)
	}
	d.date(&r.Date)
	d.texts(r.About)
	d.texts(r.Places)
	d.float(r.Quantity)
	d.float(r.Goldstein)
	d.float(r.Confidence)
	d.number(uint64(len(r.Citations)))
	for _, c := range r.Citations {
		d.text(c.Source)
		d.text(c.Quote)
	}
	return d.sum()
}

// ContentHash identifies what a statement says. It must be taken before
// [Date.RecordedOn] fills the date.
func (c *Content) ContentHash() Hash {
	d := newDigest("node")
	for _, s := range []string{string(c.Form), string(c.Kind), c.Name, c.Description, c.URL, c.Publisher} {
		d.text(s)
	}
	d.texts(c.Aliases)
	d.date(&c.Date)
	d.number(uint64(len(c.ExternalIDs)))
	for _, e := range c.ExternalIDs {
		d.text(e.Scheme)
		d.text(e.Value)
	}
	if c.Point != nil {
		d.float(&c.Point.Latitude)
		d.float(&c.Point.Longitude)
	} else {
		d.float(nil)
	}
	d.number(uint64(len(c.Properties)))
	for _, p := range c.Properties {
		d.text(p.Name)
		d.text(p.Value)
	}
	d.number(uint64(len(c.Participants)))
	for _, p := range c.Participants {
		d.text(p.Entity)
		d.text(p.Role)
	}
	d.texts(c.Places)
	return d.sum()
}

// DerivedID is the id of a relation that its data gives none: a hash over the
// data set, the type, the ends (sorted for symmetric types), the date as
// stated, and the ordinal among relations that are alike in all of these,
// counted from 0. Nothing else enters, so that an edit of anything else is a new version of
// the same relation.
func DerivedID(dataset string, t *RelationType, source, target, edtf string, ordinal int) string {
	ends := []string{source, target}
	if t.Symmetric {
		slices.Sort(ends)
	}
	d := newDigest("relation id")
	d.text(dataset)
	d.text(t.Name)
	d.texts(ends)
	d.text(edtf)
	d.number(uint64(ordinal))
	h := d.sum()
	return "r/" + hex.EncodeToString(h[:12])
}
