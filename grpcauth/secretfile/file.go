package secretfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"time"
)

// maxBytes is the size of a file that is not refused. It has room for 8 keys as long as a header may be.
const maxBytes = 64 << 10

// tick is the coarsest step of a file system's clock: FAT counts in two seconds.
const tick = 2 * time.Second

// file is a value read from a file, up to date at each call. It takes no lock: a call that finds another file
// than the last one read reads it for itself, and what calls at the same time leave behind for later
// ones carries the identity of the very file it was read from, in whatever order they leave it.
type file[T any] struct {
	path  string
	parse func(content string) (T, error) // its errors say what is wrong, and hold nothing of the content
	last  atomic.Pointer[reading[T]]

	changed func(info fs.FileInfo) time.Time // changeTime, except in tests
}

func newFile[T any](path string, parse func(content string) (T, error)) *file[T] {
	return &file[T]{path: path, parse: parse, changed: changeTime}
}

// reading is what was read last, and the file that it was read from.
type reading[T any] struct {
	info    fs.FileInfo
	settled bool // a later change cannot have left the same info
	value   T
}

// current returns the value that the file holds now.
func (f *file[T]) current() (T, error) {
	var none T
	info, err := os.Stat(f.path) // follows links: another target is another file
	switch {
	case err != nil: // read looks again
	case !info.Mode().IsRegular():
		return none, f.unusable(errors.New("it is no regular file")) // opening a pipe would wait for a writer
	default:
		if last := f.last.Load(); last != nil && last.settled && f.same(last.info, info) {
			return last.value, nil
		}
	}
	return f.read()
}

// same is true if nothing tells that the content of the two differs.
func (f *file[T]) same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime()) &&
		f.changed(a).Equal(f.changed(b))
}

// read reads the file. Its info is taken before the content: a change in between shows at the next call.
func (f *file[T]) read() (T, error) {
	var none T
	began := time.Now()
	opened, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		// Who follows a link while it is changed, and the old target removed, may find nothing once.
		opened, err = os.Open(f.path)
	}
	if err != nil {
		return none, f.unusable(err)
	}
	defer opened.Close() //nolint:errcheck // nothing was written
	info, err := opened.Stat()
	if err != nil {
		return none, f.unusable(err)
	}
	content, err := io.ReadAll(io.LimitReader(opened, maxBytes+1))
	if err != nil {
		return none, f.unusable(err)
	}
	if len(content) > maxBytes {
		return none, f.unusable(fmt.Errorf("it has more than %d bytes", maxBytes))
	}
	value, err := f.parse(string(content))
	if err != nil {
		return none, f.unusable(err)
	}
	f.last.Store(&reading[T]{info: info, settled: began.Sub(f.changed(info)) > tick, value: value})
	return value, nil
}

// unusable names the file, once: the errors of package os do so, too.
func (f *file[T]) unusable(err error) error {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err
	}
	return fmt.Errorf("secretfile: %s: %w", f.path, err)
}
