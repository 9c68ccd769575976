package measure

import (
	"fmt"
	"math/rand/v2"
	"regexp"
)

// Series are the samples of a variant, one for each round.
type Series []Sample

// Results are the series by "group/variant".
type Results map[string]Series

// Median takes the median of each figure.
func (s Series) Median() Sample {
	return Sample{
		Nanos:  Median(s.figures(func(one Sample) float64 { return one.Nanos })),
		Allocs: Median(s.figures(func(one Sample) float64 { return one.Allocs })),
		Bytes:  Median(s.figures(func(one Sample) float64 { return one.Bytes })),
	}
}

// UpperQuartile is the time below or at which three quarters of the rounds are.
func (s Series) UpperQuartile() float64 {
	return Quantile(s.figures(func(one Sample) float64 { return one.Nanos }), 3, 4) //nolint:mnd // three quarters
}

// Ratio is the median of what one costs by what another does, in each round: two figures of a round had the same
// company. It is false if one of them was not measured.
func (r Results) Ratio(of, to string, figure func(Sample) float64) (float64, bool) {
	above, below := r[of], r[to]
	if len(above) == 0 || len(above) != len(below) {
		return 0, false
	}
	ratios := make([]float64, 0, len(above))
	for i := range above {
		ratios = append(ratios, figure(above[i])/figure(below[i]))
	}
	return Median(ratios), true
}

func (s Series) figures(of func(Sample) float64) []float64 {
	figures := make([]float64, 0, len(s))
	for _, one := range s {
		figures = append(figures, of(one))
	}
	return figures
}

// Run measures the variants of a group whose names match. Each round takes one sample of each, in
// an order of its own: in a constant one, the garbage collector would come to the same variant again and again.
func (g *Group) Run(only *regexp.Regexp, results Results) error {
	var chosen []Variant
	for _, variant := range g.Variants {
		if only.MatchString(variant.Name) {
			chosen = append(chosen, variant)
		}
	}
	first := 0
	if g.WarmUp {
		first = -1
	}
	order := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // the same orders in each run
	for round := first; round < g.Rounds; round++ {
		for _, i := range order.Perm(len(chosen)) {
			variant := chosen[i]
			sample, err := variant.Sample()
			if err != nil {
				return fmt.Errorf("%s/%s: %w", g.Name, variant.Name, err)
			}
			if round >= 0 {
				key := g.Name + "/" + variant.Name
				results[key] = append(results[key], sample)
			}
		}
	}
	return nil
}
