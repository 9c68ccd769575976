package report

import (
	"errors"
	"fmt"
	"strings"

	"github.com/grpcauth/protoc-gen-go-grpcauth/bench/internal/measure"
)

// bar is a system of the picture.
type bar struct {
	label, detail string
	key           string
	ours          bool
}

func bars() []bar {
	return []bar{
		{"grpcauth", "Guard", "check/allow/guard", true},
		{"grpcauth", doorInterceptor, "check/allow/interceptor", true},
		{"hand-written", "with care", "check/allow/careful, interceptor", false},
		{"go-grpc-middleware", "auth", "check/allow/middleware", false},
		{"go-grpc-middleware", "selector", "check/allow/middleware, selector", false},
		{"hand-written", "as usual", "check/allow/usual, interceptor", false},
		{"grpc's authz", "static policy", "check/allow/authz", false},
	}
}

// Picture draws what a check costs by system, as SVG.
func Picture(results measure.Results) (string, error) {
	const (
		width, left, right = 760, 272, 92
		top, step, thick   = 78, 38, 22
		foot, gap          = 6, 10
	)
	all := bars()
	costs := make([]float64, len(all))
	highest := 0.0
	for i, bar := range all {
		cost, ok := median(bar.key, nanos)(results)
		if !ok {
			return "", errors.New("the picture needs all systems of the group check")
		}
		costs[i] = cost
		highest = max(highest, cost)
	}
	height := top + step*len(all) + foot

	var svg strings.Builder
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" `+
		`role="img" aria-labelledby="title desc">
<title id="title">Cost of a check, by system</title>
<desc id="desc">Nanoseconds for one header of a call that passes, less is better: %[3]s.</desc>
`, width, height, spoken(all, costs))
	// A card of its own, so that the page's colour does not matter.
	svg.WriteString(`<style>
  text { font: 14px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: #1f2328 }
  .title { font-size: 19px; font-weight: 600 }
  .quiet { fill: #59636e; font-size: 13px }
  .ours { font-weight: 600 }
  .card { fill: #ffffff; stroke: #d1d9e0 }
  rect.theirs { fill: #9aa4af }
  rect.ours { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .quiet { fill: #9198a1 }
    .card { fill: #0d1117; stroke: #3d444d }
    rect.theirs { fill: #656c76 }
    rect.ours { fill: #4493f8 }
  }
</style>
`)
	fmt.Fprintf(&svg, `<rect class="card" x="0.5" y="0.5" width="%d" height="%d" rx="8"/>
<text class="title" x="24" y="36">Cost of a check, by system</text>
<text class="quiet" x="24" y="58">nanoseconds for one header of a call that passes; shorter is better</text>
`, width-1, height-1)
	for i, bar := range all {
		y := top + step*i
		length := costs[i] / highest * float64(width-left-right)
		class := "theirs"
		if bar.ours {
			class = "ours"
		}
		fmt.Fprintf(&svg, `<text x="%[1]d" y="%[2]d" text-anchor="end"><tspan class="%[3]s">%[4]s</tspan>`+
			`<tspan class="quiet">, %[5]s</tspan></text>
<rect class="%[3]s" x="%[6]d" y="%[7]d" width="%.1[8]f" height="%[9]d" rx="3"/>
<text class="%[3]s" x="%.1[10]f" y="%[2]d">%.0[11]f ns</text>
`, left-gap, y+thick*3/4, class, bar.label, bar.detail, left, y, length, thick, float64(left)+length+gap, costs[i])
	}
	svg.WriteString("</svg>\n")
	return svg.String(), nil
}

// spoken lists the bars for those who do not see them.
func spoken(all []bar, costs []float64) string {
	list := make([]string, 0, len(all))
	for i, bar := range all {
		list = append(list, fmt.Sprintf("%s (%s) %.0f", bar.label, bar.detail, costs[i]))
	}
	return strings.Join(list, ", ")
}
