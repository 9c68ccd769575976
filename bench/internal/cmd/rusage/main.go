// Command rusage runs another command, with a file as its input, and prints what it used: nanoseconds of CPU time
// and the most bytes that were resident.
//
// It is a small program of its own because Linux counts the memory of whoever starts a process to what that process
// had resident.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "rusage:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: rusage INPUT COMMAND [ARGUMENT...]")
	}
	in, err := os.Open(args[0])
	if err != nil {
		return fmt.Errorf("input: %w", err)
	}
	defer func() { _ = in.Close() }()
	command := exec.CommandContext(ctx, args[1], args[2:]...)
	command.Stdin = in
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w", args[1], err)
	}
	used, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return errors.New("this system does not tell what a process used")
	}
	const kibibyte = 1 << 10 // the unit of Maxrss on Linux
	_, err = fmt.Println(used.Utime.Nano()+used.Stime.Nano(), used.Maxrss*kibibyte)
	if err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
