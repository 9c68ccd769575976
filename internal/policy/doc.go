// Package policy turns the grpcauth options of a schema into resolved rules, and says what is wrong with
// them and where.
//
// It works on descriptors and knows neither code generators nor Go names, so that every tool that reads
// the options agrees with the generator. The way through it, in reading order:
//
//	schema.go    compares the schema's copy of the option language with the one compiled in
//	options.go   reads the extensions: the only place that does
//	rule.go      checks one rule by itself
//	header.go    checks one header of a rule
//	text.go      checks literals and texts
//	resolve.go   adds up file, service and method
//	model.go     what comes out: immutable
//	finding.go   what is wrong, as file:line:column: element: message
//	place.go     positions
package policy
