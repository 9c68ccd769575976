// Package implies holds package policy's answer, whether one requirement implies another, against the runtime: the
// rules are random, the real interceptors decide about calls.
//
//	draw_test.go     random rules
//	mutate_test.go   a rule that is a little weaker or stricter, or the same in other words
//	runtime_test.go  what the runtime does with a call
//	calls_test.go    random calls
//	implies_test.go  the properties
//	grid_test.go     rules for which all calls can be tried
package implies
