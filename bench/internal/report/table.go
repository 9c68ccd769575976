// Package report says what was measured: as a table, as a picture, and against the targets.
package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
)

func nanos(s measure.Sample) float64  { return s.Nanos }
func allocs(s measure.Sample) float64 { return s.Allocs }
func bytes(s measure.Sample) float64  { return s.Bytes }

// row is a variant as a reader sees it.
type row struct{ situation, system, time, allocs, bytes, ratio string }

// Figures are the rows of a group, as far as it was measured.
type Figures struct {
	Title string
	Head  row
	rows  []row
}

// Figures of a group: medians, and the ratio to the group's reference.
func figures(group *measure.Group, results measure.Results) Figures {
	f := Figures{Title: group.Title, Head: row{"situation", "system", "time", "allocations", "bytes", "ratio"}}
	if group.CPU {
		f.Head.time = "CPU time"
	}
	if group.Resident {
		f.Head.allocs, f.Head.bytes = "", "memory"
	}
	for _, variant := range group.Variants {
		key := group.Name + "/" + variant.Name
		if len(results[key]) == 0 {
			continue
		}
		situation, system, _ := strings.Cut(variant.Name, "/")
		median := results[key].Median()
		one := row{situation: situation, system: system, time: duration(median.Nanos), bytes: size(median.Bytes)}
		if !group.Resident {
			one.allocs = fmt.Sprintf("%.0f", median.Allocs)
		}
		if ratio, ok := results.Ratio(key, reference(group, situation, results), nanos); ok {
			one.ratio = fmt.Sprintf("%.2f", ratio)
		}
		f.rows = append(f.rows, one)
	}
	return f
}

// reference is what the ratios of a situation are to: the first system, if the group's own was not measured there.
func reference(group *measure.Group, situation string, results measure.Results) string {
	if strings.Contains(group.Reference, "/") {
		return group.Name + "/" + group.Reference
	}
	own := group.Name + "/" + situation + "/" + group.Reference
	if len(results[own]) > 0 {
		return own
	}
	for _, variant := range group.Variants {
		if strings.HasPrefix(variant.Name, situation+"/") && len(results[group.Name+"/"+variant.Name]) > 0 {
			return group.Name + "/" + variant.Name
		}
	}
	return own
}

// Table prints a group.
func Table(out io.Writer, group *measure.Group, results measure.Results) error {
	f := figures(group, results)
	if len(f.rows) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0) //nolint:mnd // two spaces between columns
	_, _ = fmt.Fprintf(table, "\n%s\n", f.Title)
	for _, one := range append([]row{f.Head}, f.rows...) {
		_, _ = fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%s\n",
			one.situation, one.system, one.time, one.ratio, one.allocs, one.bytes)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}

// duration has three digits, or whole nanoseconds.
func duration(nanos float64) string {
	return scaled(nanos, 1000, "ns", "µs", "ms", "s") //nolint:mnd // decimal
}

func size(bytes float64) string {
	return scaled(bytes, 1024, "B", "KiB", "MiB") //nolint:mnd // binary
}

func scaled(value, step float64, units ...string) string {
	unit := 0
	for value >= 10*step && unit < len(units)-1 {
		value /= step
		unit++
	}
	const small = 100
	if unit > 0 && value < small || value < small && units[0] == "ns" {
		return fmt.Sprintf("%.1f %s", value, units[unit])
	}
	return fmt.Sprintf("%.0f %s", value, units[unit])
}
