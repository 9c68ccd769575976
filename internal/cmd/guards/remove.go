package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// What can become of a guard.
const (
	noticed   = "noticed"
	unnoticed = "NOT NOTICED"
	untried   = "not tried"
	untested  = "no test of this row yet"
)

func (g *guard) state() string {
	switch {
	case !g.tried:
		return untried
	case g.problem != "":
		return unnoticed
	case len(g.failing) == 0:
		return untested
	default:
		return noticed
	}
}

func (g *guard) outcome() string {
	switch g.state() {
	case noticed:
		return strings.Join(g.failing, ", ")
	case unnoticed:
		return unnoticed + ": " + g.problem
	default:
		return g.state()
	}
}

// copyModule copies the files that git knows, and those that it would.
func copyModule(ctx context.Context) (string, error) {
	files, err := exec.CommandContext(ctx, "git", "ls-files", "-co", "--exclude-standard", "-z").Output()
	if err != nil {
		return "", fmt.Errorf("git ls-files: %w", err)
	}
	folder, err := os.MkdirTemp("", "guards")
	if err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(files), "\x00"), "\x00") {
		content, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			return folder, fmt.Errorf("copy the module: %w", err)
		}
		target := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return folder, fmt.Errorf("copy the module: %w", err)
		}
		if err := os.WriteFile(target, content, 0o600); err != nil {
			return folder, fmt.Errorf("copy the module: %w", err)
		}
	}
	return folder, nil
}

// remove tries one guard, and leaves the copy as it was.
func (g *guard) remove(ctx context.Context, folder string) {
	g.tried = true
	originals := map[string][]byte{}
	defer func() {
		for name, content := range originals {
			if err := os.WriteFile(name, content, 0o600); err != nil {
				g.problem = err.Error()
			}
		}
	}()
	for _, one := range g.changes {
		name := filepath.Join(folder, one.file)
		content, err := os.ReadFile(name)
		if err != nil {
			g.problem = err.Error()
			return
		}
		if originals[name] == nil {
			originals[name] = content
		}
		before, after := strings.TrimSuffix(one.before, "\n"), strings.TrimSuffix(one.after, "\n")
		if count := strings.Count(string(content), before); count != 1 {
			g.problem = fmt.Sprintf("the text to remove stands %d times in %s", count, one.file)
			return
		}
		changed := strings.Replace(string(content), before, after, 1)
		if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
			g.problem = err.Error()
			return
		}
	}
	g.ask(ctx, folder)
}

var failed = regexp.MustCompile(`(?m)^--- FAIL: (Test\w+)`)

// panicked finds the test in whose goroutine, or while which, the process ended.
var panicked = regexp.MustCompile(`(?m)(Test(T[0-9]+)_\w+)`)

// ask runs the tests of the row.
func (g *guard) ask(ctx context.Context, folder string) {
	const limit = 5 * time.Minute
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "test", "-vet=off", "-count=1", "-timeout=4m", "-run=^Test"+g.row+"_")
	command.Args = append(command.Args, g.packages...)
	command.Dir = folder
	raw, err := command.CombinedOutput()
	output := string(raw)
	switch {
	case strings.Contains(output, "[build failed]") || strings.Contains(output, "[setup failed]"):
		g.problem = "does not compile:\n" + output
	case err == nil && strings.Count(output, "[no test") == len(g.packages):
		// Prepared: the row's tests are still to come.
	case err == nil:
		g.problem = "all tests of the row pass without it"
	default:
		g.failing = failing(output, g.row)
		if len(g.failing) == 0 {
			g.problem = "the tests end without a failing test of the row:\n" + output
		}
	}
}

func failing(output, row string) []string {
	var names []string
	for _, match := range failed.FindAllStringSubmatch(output, -1) {
		names = append(names, match[1])
	}
	if strings.Contains(output, "\npanic: ") || strings.HasPrefix(output, "panic: ") {
		for _, match := range panicked.FindAllStringSubmatch(output, -1) {
			if match[2] == row {
				names = append(names, match[1])
			}
		}
		if len(names) == 0 {
			names = []string{"the process of the row's tests ends"}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// remember takes over what an earlier run found, for the guards that this one does not try.
func remember(guards []*guard, earlier string) {
	var last *guard
	for line := range strings.SplitSeq(earlier, "\n") {
		if name, found := strings.CutPrefix(line, "    fails: "); found && last != nil && !last.tried {
			last.failing = append(last.failing, name)
			continue
		}
		for _, one := range guards {
			if line == one.title() {
				last = one
			}
		}
	}
	for _, one := range guards {
		one.tried = one.tried || len(one.failing) > 0
	}
}

func (g *guard) title() string {
	return fmt.Sprintf("%s %s: %s: %s", g.row, g.file, g.function, g.without)
}

// report is what is committed: each guard with the tests that fail without it.
func report(guards []*guard) []byte {
	var text strings.Builder
	text.WriteString("Each guard of docs/threat-model.md was removed in a copy of the module, as\n" +
		"internal/cmd/guards/guards.txt says, and the tests of its row were run. Written by `make guards`;\n" +
		"CI repeats a sample.\n")
	row := ""
	for _, one := range guards {
		if one.row != row {
			row = one.row
			text.WriteString("\n")
		}
		text.WriteString(one.title() + "\n")
		switch one.state() {
		case noticed:
			for _, name := range one.failing {
				fmt.Fprintf(&text, "    fails: %s\n", name)
			}
		default:
			fmt.Fprintf(&text, "    %s\n", one.state())
		}
	}
	return []byte(text.String())
}
