//go:build !race

package implies

const raced = false
