// Package vectors reads the cases of testdata/vectors, serves their rules, and compares what is seen of their calls
// with what they say. It serves tests only. How a call reaches a service, through which door, is the tests' own affair.
//
// Its files, in reading order:
//
//	file.go       the format, which the folder's README.md describes field by field
//	value.go      values, and how they are written
//	load.go       reads the files, strictly
//	check.go      what a case may say
//	levels.go     adds up what a schema states, with the generator's own resolver
//	rule.go       a rule in force, as the table that generated code states
//	kind.go       the four kinds of methods
//	desc.go       a service of grpc's with a method of each
//	service.go    a rule as such a service
//	script.go     verifiers that answer as the file says
//	answer.go     what they answer
//	record.go     what the server's side saw of a call
//	elsewhere.go  a case at a door that does some of it differently
//	compare.go    makes a call, and says what is unlike the case
package vectors
