// Package recipes holds the rules and the code of README.md's recipes, compiled and run: recipes/v1 is the
// schema with its generated code, and the tests are servers and clients for each need.
package recipes

//go:generate go run ../../internal/cmd/regenerate -I .. -I ../../proto/options recipes/v1/recipes.proto
