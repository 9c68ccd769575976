// Package fuzz holds the fuzz targets that drive the runtime from outside: FuzzEvaluator and FuzzFrames. Both
// draw rules and calls from the fuzzer's bytes, and compare what happens with an oracle that knows nothing of
// the code under test.
package fuzz
