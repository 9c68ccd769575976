// Package measure takes the figures of variants that are to be compared: side by side, in several rounds, so that
// whatever else the machine does hits all of them alike.
package measure

import (
	"math"
	"runtime"
	"slices"
	"time"
)

// Sample is what one operation cost: the mean of many in one round.
type Sample struct {
	Nanos  float64 // wall time or CPU time, as the group says
	Allocs float64 // number of allocations
	Bytes  float64 // allocated, or resident at most, as the group says
}

// Variant is one way to do something, "situation/system".
type Variant struct {
	Name   string
	Sample func() (Sample, error)
}

// Group is what is compared with each other.
type Group struct {
	Name  string
	Title string
	// CPU: times are those of a process's CPU, and not of the clock. Resident: bytes are the most that were
	// resident, and not those that were allocated.
	CPU, Resident bool
	// Reference is what ratios are to: a system, for each situation its own, or one variant for all.
	Reference string
	Rounds    int
	WarmUp    bool // one more round, before the others, does not count
	Variants  []Variant
	Close     func() // may be nil
}

// Median of the figures; of an even number of them, the lower of the two in the middle.
func Median(figures []float64) float64 { return Quantile(figures, 1, 2) } //nolint:mnd // a half

// Quantile is the figure below or at which numerator/denominator of the figures lie.
func Quantile(figures []float64, numerator, denominator int) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[(len(sorted)-1)*numerator/denominator]
}

// Loop is a variant that repeats a short operation in this process: do(n) does it n times, and fails if one of them
// came out otherwise than it should. A sample takes about the given time.
func Loop(name string, about time.Duration, do func(n int) error) Variant {
	n := 0
	return Variant{Name: name, Sample: func() (Sample, error) {
		if n == 0 {
			enough, err := calibrate(about, do)
			if err != nil {
				return Sample{}, err
			}
			n = enough
		}
		return count(n, do)
	}}
}

// Times is a variant that does an operation so many times for each sample: for operations that take longer after a
// pause, so that all variants have as many in which to get over it.
func Times(name string, n int, do func(n int) error) Variant {
	return Variant{Name: name, Sample: func() (Sample, error) { return count(n, do) }}
}

// calibrate returns how many operations take about so long, and warms up on the way. The fastest of a few attempts
// counts: others were interrupted.
func calibrate(about time.Duration, do func(n int) error) (int, error) {
	const attempts = 3
	for n := 1; ; n *= 2 {
		fastest := time.Duration(math.MaxInt64)
		for range attempts {
			began := time.Now()
			if err := do(n); err != nil {
				return 0, err
			}
			fastest = min(fastest, time.Since(began))
		}
		if fastest >= about/2 {
			return max(1, int(float64(n)*float64(about)/float64(fastest))), nil
		}
	}
}

func count(n int, do func(n int) error) (Sample, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	err := do(n)
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	each := func(total uint64) float64 { return float64(total) / float64(n) }
	return Sample{
		Nanos:  float64(took.Nanoseconds()) / float64(n),
		Allocs: each(after.Mallocs - before.Mallocs),
		Bytes:  each(after.TotalAlloc - before.TotalAlloc),
	}, err
}
