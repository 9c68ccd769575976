//go:build race

package load_test

// underRace is true where the race detector makes every call cost several times as much.
const underRace = true
