package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// chromium is a running browser without a window. It has a profile of its own and contacts nobody but 127.0.0.1.
type chromium struct {
	command  *exec.Cmd
	profile  string
	pipes    []*os.File
	ended    chan struct{}
	messages bytes.Buffer
}

// startChromium opens a page. The context ends the browser, and so does the end of this process.
func startChromium(ctx context.Context, program, page string) (*chromium, error) {
	profile, err := os.MkdirTemp("", "grpcauth-browser-")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the profile: %w", err)
	}
	c := &chromium{profile: profile}
	if err := c.start(ctx, program, page); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *chromium) start(ctx context.Context, program, page string) error {
	c.command = exec.CommandContext(ctx, program, //nolint:gosec // which Chromium runs is up to who runs us
		"--headless=new",
		"--no-sandbox", // CI runs as root, and the page is ours
		"--disable-gpu",
		"--disable-dev-shm-usage",
		"--user-data-dir="+filepath.Join(c.profile, "profile"),
		"--no-first-run",
		"--disable-background-networking",
		"--disable-component-update",
		"--disable-default-apps",
		"--disable-domain-reliability",
		"--disable-extensions",
		"--disable-sync",
		"--disable-breakpad",
		"--no-proxy-server",
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--ignore-certificate-errors", // net/http/httptest's is signed by nobody
		"--enable-logging=stderr",     // the page's errors, among others
		"--remote-debugging-pipe",     // the browser ends when its pipe does
		page)
	c.command.Env = append(os.Environ(), "HOME="+c.profile, "TMPDIR="+c.profile)
	c.command.Stderr = &c.messages
	c.command.WaitDelay = time.Second
	for range 2 { // the browser reads commands from the first, and writes events to the second
		reader, writer, err := os.Pipe()
		if err != nil {
			return fmt.Errorf("make a pipe: %w", err)
		}
		c.pipes = append(c.pipes, reader, writer)
	}
	c.command.ExtraFiles = []*os.File{c.pipes[0], c.pipes[3]}
	if err := c.command.Start(); err != nil {
		return fmt.Errorf("start Chromium: %w", err)
	}
	c.ended = make(chan struct{})
	go func() {
		_ = c.command.Wait()
		close(c.ended)
	}()
	_ = c.pipes[0].Close()
	_ = c.pipes[3].Close()
	go io.Copy(io.Discard, c.pipes[2]) //nolint:errcheck // it ends with the browser
	return nil
}

// stop ends the browser and returns what it wrote to its log.
func (c *chromium) stop() string {
	for _, pipe := range c.pipes {
		_ = pipe.Close()
	}
	if c.ended != nil {
		kill := time.AfterFunc(stopTimeout, func() { _ = c.command.Process.Kill() })
		<-c.ended
		kill.Stop()
	}
	_ = os.RemoveAll(c.profile)
	return c.messages.String()
}
