package loader

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zip"
	"github.com/klauspost/compress/zstd"
)

// The first bytes by which it is known how a file is packed, whatever its name.
const (
	gzipMagic = "\x1f\x8b"
	zstdMagic = "\x28\xb5\x2f\xfd"
	zipMagic  = "PK\x03\x04"
	zipEmpty  = "PK\x05\x06" // of an archive without files
)

// source opens a file from its beginning.
type source func() (*opened, error)

// opened is a file that can be read in order, or anywhere.
type opened struct {
	io.Reader
	io.ReaderAt
	io.Closer
	size int64
}

// atPath is the file of a name.
func atPath(path string) source {
	return func() (*opened, error) {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		info, err := f.Stat()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return &opened{f, f, f, info.Size()}, nil
	}
}

// within is a file that is open, and stays so.
func within(f io.ReaderAt, size int64) source {
	return func() (*opened, error) {
		r := io.NewSectionReader(f, 0, size)
		return &opened{r, r, io.NopCloser(r), size}, nil
	}
}

// contents lists the files that a file holds: those in a zip archive in the
// order of their names, without hidden ones; of all else the file itself. An
// archive in an archive, as Dataverse packs several files that are archives, is
// kept in a temporary file of its own by keep.
func contents(name string, from source, keep func(io.Reader) (source, error)) ([]Part, error) {
	parts, err := unpackedParts(name, from)
	if err != nil || parts[0].Name == name {
		return parts, err
	}
	var all []Part
	for _, part := range parts {
		held := strings.TrimPrefix(part.Name, name+"/")
		inner, is, err := keptArchive(part, keep)
		if err != nil {
			return nil, fmt.Errorf("holds %s, which cannot be kept: %w", held, err)
		}
		if !is {
			all = append(all, part)
			continue
		}
		more, err := unpackedParts(part.Name, inner)
		if err != nil {
			return nil, fmt.Errorf("holds %s, which %w", held, err)
		}
		all = append(all, more...)
	}
	return all, nil
}

// keptArchive is a copy of a file in an archive, if that is an archive itself.
func keptArchive(part Part, keep func(io.Reader) (source, error)) (inner source, is bool, err error) {
	f, err := part.Open()
	if err != nil {
		return nil, false, nil //nolint:nilerr // it says what is wrong when it is opened again
	}
	defer func() { _ = f.Close() }()
	head := bufio.NewReader(f)
	if magic, _ := head.Peek(len(zipMagic)); string(magic) != zipMagic {
		return nil, false, nil
	}
	inner, err = keep(head)
	return inner, true, err
}

// unpackedParts lists what a file holds, but not what archives in it hold.
func unpackedParts(name string, from source) ([]Part, error) {
	whole := []Part{{Name: name, Open: func() (io.ReadCloser, error) { return openUnpacked(from) }}}
	f, err := from()
	if err != nil {
		return whole, nil //nolint:nilerr // it says what is wrong when it is opened again
	}
	defer func() { _ = f.Close() }()
	magic := make([]byte, len(zipMagic))
	if _, err := io.ReadFull(f, magic); err != nil || string(magic) != zipMagic && string(magic) != zipEmpty {
		return whole, nil
	}
	archive, err := zip.NewReader(f, f.size)
	if err != nil {
		return nil, unpackingFails(err)
	}
	members := slices.SortedFunc(slices.Values(archive.File), func(a, b *zip.File) int { return cmp.Compare(a.Name, b.Name) })
	var parts []Part
	filled := slices.ContainsFunc(members, func(f *zip.File) bool { return f.UncompressedSize64 > 0 && !hidden(f.Name) })
	for i, member := range members {
		switch {
		case member.Name == "[Content_Types].xml" || member.Name == "mimetype":
			return nil, errors.New("is an office document; save its table as CSV in UTF-8")
		case member.FileInfo().IsDir() || hidden(member.Name) || filled && member.UncompressedSize64 == 0:
			continue
		case i > 0 && member.Name == members[i-1].Name:
			return nil, fmt.Errorf("holds several files %s; unpack it first", printable(member.Name))
		case member.Flags&1 != 0:
			return nil, fmt.Errorf("holds %s, which is encrypted; unpack it first", printable(member.Name))
		}
		parts = append(parts, Part{Name: name + "/" + printable(member.Name), Open: func() (io.ReadCloser, error) { return openMember(from, member.Name) }})
	}
	if len(parts) == 0 {
		return nil, errors.New("is a zip archive without files")
	}
	return parts, nil
}

// hidden reports whether a path in an archive or a directory is hidden, or is what
// a Mac puts beside each file, or the list of files that Dataverse puts beside them.
func hidden(name string) bool {
	return name == "MANIFEST.TXT" || slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
		return part == "__MACOSX" || strings.HasPrefix(part, ".") && part != "." && part != ".."
	})
}

// printable is a name that can stand in messages.
func printable(name string) string {
	if quoted := strconv.QuoteToGraphic(name); quoted != `"`+name+`"` {
		return quoted
	}
	return name
}

// openUnpacked opens a file; what gzip or zstd has packed is unpacked.
func openUnpacked(from source) (io.ReadCloser, error) {
	f, err := from()
	if err != nil {
		return nil, err
	}
	return unpack(f, nil)
}

// openMember opens a file in a zip archive, in which it may be packed again.
func openMember(archive source, name string) (io.ReadCloser, error) {
	packed, err := archive()
	if err != nil {
		return nil, unpackingFails(err)
	}
	z, err := zip.NewReader(packed, packed.size)
	if err != nil {
		return nil, errors.Join(unpackingFails(err), packed.Close())
	}
	i := slices.IndexFunc(z.File, func(f *zip.File) bool { return f.Name == name })
	if i < 0 {
		return nil, errors.Join(errors.New("is not in the archive any longer"), packed.Close())
	}
	f, err := z.File[i].Open()
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		return nil, errors.Join(errors.New("it is packed in a way that is not known; unpack it first"), packed.Close())
	case err != nil:
		return nil, errors.Join(unpackingFails(err), packed.Close())
	}
	return unpack(f, packed)
}

// unpack reads what was opened, by way of gzip or zstd if either has packed it.
// It closes both, also when it fails.
func unpack(opened io.ReadCloser, archive io.Closer) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(opened, 64<<10)
	in := &unpacked{Reader: buffered, packed: archive != nil, closers: []func() error{opened.Close}}
	if archive != nil {
		in.closers = append(in.closers, archive.Close)
	}
	magic, _ := buffered.Peek(len(zstdMagic)) // a shorter file is packed by neither
	switch {
	case bytes.HasPrefix(magic, []byte(gzipMagic)):
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, errors.Join(unpackingFails(err), in.Close())
		}
		in.Reader, in.packed, in.closers = z, true, slices.Insert(in.closers, 0, z.Close)
	case bytes.HasPrefix(magic, []byte(zstdMagic)):
		z, err := zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20))
		if err != nil {
			return nil, errors.Join(unpackingFails(err), in.Close())
		}
		in.Reader, in.packed, in.closers = z, true, slices.Insert(in.closers, 0, z.IOReadCloser().Close)
	}
	return in, nil
}

type unpacked struct {
	io.Reader
	packed  bool
	closers []func() error
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	if err != nil && err != io.EOF && u.packed {
		err = unpackingFails(err)
	}
	return n, err
}

func unpackingFails(err error) error {
	return fmt.Errorf("cannot be unpacked: %s; the file is cut short or damaged", reason(err))
}

func (u *unpacked) Close() (err error) {
	for _, closing := range u.closers {
		err = cmp.Or(err, closing())
	}
	return err
}
