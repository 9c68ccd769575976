// Package policy turns the grpcauth options of a schema into resolved rules, and says what is wrong with
// them and where.
//
// It works on descriptors and knows neither code generators nor Go names, so that every tool that reads
// the options agrees with the generator. The way through it, in reading order:
//
//	schema.go       compares the schema's copy of the option language with the one compiled in
//	options.go      reads the extensions: the only place that does
//	unknown.go      finds fields that the compiled-in language does not have
//	rule.go         checks one rule by itself
//	alternative.go  its any_of
//	header.go       one header of a rule or of an alternative
//	name.go         its metadata key
//	credential.go   schemes and scopes
//	text.go         literals and texts
//	requirement.go  adds up what file, service and method require
//	resolve.go      goes through a file's services and methods
//	where.go        the rule behind a fact: who opened a method, what changed it
//	model.go        what comes out: immutable
//	finding.go      what is wrong, as file:line:column: element: message
//	place.go        positions, and how messages name them
//
// What one requirement has to do with another, for those who compare two versions of a schema:
//
//	spell.go        a requirement in words
//	implies.go      whether every call that satisfies one satisfies the other
//	path.go         one way to satisfy a rule, and how each key can arrive on it
//	texts.go        which values stand for all
//	search.go       makes all alternatives fail at once, if that can be
package policy
