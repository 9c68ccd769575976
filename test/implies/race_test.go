//go:build race

package implies

// raced is true under the race detector, where a call takes ten times as long.
const raced = true
