// Command bench measures what a check costs, beside hand-written checks and other packages, and judges the figures by
// the project's targets. Ours is measured through generated code alone.
//
//	go run .                 several minutes
//	go run . -short          a minute or two: whether everything can still be measured; figures are rough
//	go run . -only A/B       groups that match A, of them the "situation/system" that match B; B may be left out
//	go run . -rounds N       so many rounds of every group
//	go run . -write          puts the figures into docs/performance.md, and draws docs/performance.svg
//
// It prints a table of medians and ratios, and a line for each target. A missed target is no failure; a figure that
// could not be taken is one.
//
// In reading order: internal/measure takes figures in rounds; internal/peers and internal/systems hold what is
// compared; internal/checks, calls, refusals, clients and tools are the measurements; internal/report prints.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/plugins"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/refusals"
	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/report"
)

func main() {
	asked, err := refusals.ServeIfAsked(os.Stdin, os.Stdout)
	if !asked {
		err = run(os.Args[1:], os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the command line's.
type settings struct {
	groups, variants *regexp.Regexp
	plan             plan
	write            bool
	entire           bool // everything is measured
}

func parse(args []string) (settings, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	short := flags.Bool("short", false, "few rounds, to see whether everything can be measured")
	only := flags.String("only", "", "measure what `GROUPS/VARIANTS` match, two regular expressions")
	rounds := flags.Int("rounds", 0, "rounds of every group (default: as many as each needs)")
	write := flags.Bool("write", false, "rewrite docs/performance.md and docs/performance.svg")
	if err := flags.Parse(args); err != nil {
		return settings{}, fmt.Errorf("flags: %w", err)
	}
	ofGroups, ofVariants, _ := strings.Cut(*only, "/")
	groups, err := regexp.Compile(ofGroups)
	if err != nil {
		return settings{}, fmt.Errorf("-only: %w", err)
	}
	variants, err := regexp.Compile(ofVariants)
	if err != nil {
		return settings{}, fmt.Errorf("-only: %w", err)
	}
	switch {
	case flags.NArg() > 0:
		return settings{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	case *write && (*only != "" || *short):
		return settings{}, errors.New("-write needs all figures, without -only and -short")
	case *rounds < 0:
		return settings{}, errors.New("-rounds must be positive")
	}
	planned := long()
	if *short {
		planned = brief()
	}
	if *rounds > 0 {
		planned = planned.with(*rounds)
	}
	return settings{groups, variants, planned, *write, *only == ""}, nil
}

func run(args []string, out, progress io.Writer) error {
	chosen, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	results := measure.Results{}
	groups, err := measureAll(chosen, results, out, progress)
	if err != nil {
		return err
	}
	outcomes, unknown := report.Verdict(results)
	if chosen.entire && len(unknown) > 0 {
		return fmt.Errorf("not measured: %s", strings.Join(unknown, "; "))
	}
	if chosen.write {
		if err := document(groups, results, outcomes); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(out, "\n%s\n\n", report.Machine()); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return report.Summary(out, outcomes)
}

func measureAll(
	chosen settings, results measure.Results, out, progress io.Writer,
) ([]*measure.Group, error) {
	sources, cleanUp := prepare(chosen.plan)
	defer cleanUp()
	var groups []*measure.Group
	for _, source := range sources {
		if !chosen.groups.MatchString(source.name) {
			continue
		}
		began := time.Now()
		group, err := measureGroup(source, chosen.variants, results)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source.name, err)
		}
		groups = append(groups, group)
		if err := report.Table(out, group, results); err != nil {
			return nil, err
		}
		_, _ = fmt.Fprintf(progress, "%s: %d rounds, %.0f s\n", group.Name, group.Rounds, time.Since(began).Seconds())
	}
	return groups, nil
}

func measureGroup(source source, variants *regexp.Regexp, results measure.Results) (*measure.Group, error) {
	group, err := source.prepare()
	if err != nil {
		return nil, err
	}
	if group.Close != nil {
		defer group.Close()
	}
	if err := group.Run(variants, results); err != nil {
		return nil, err
	}
	return group, nil
}

func document(
	groups []*measure.Group, results measure.Results, outcomes []report.Outcome,
) error {
	checkout, err := plugins.Checkout()
	if err != nil {
		return err
	}
	const readable = 0o644
	picture, err := report.Picture(results)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(checkout, "docs/performance.svg"), []byte(picture), readable); err != nil {
		return fmt.Errorf("write the picture: %w", err)
	}
	path := filepath.Join(checkout, "docs/performance.md")
	old, err := os.ReadFile(path) //nolint:gosec // of this checkout
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	text, err := report.Document(string(old), groups, results, outcomes)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), readable); err != nil { //nolint:gosec // of this checkout
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}
