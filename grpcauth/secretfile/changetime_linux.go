package secretfile

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime is when the file's content or anything about it last changed. Unlike the time of modification
// nobody can set it, and it tells a new file apart that has got the inode of a removed one.
func changeTime(info fs.FileInfo) time.Time {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return time.Unix(stat.Ctim.Unix())
	}
	return info.ModTime()
}
