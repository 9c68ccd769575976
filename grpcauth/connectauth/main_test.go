package connectauth_test

import (
	"flag"
	"testing"
)

// TestMain lets more tests run side by side than there are processors: most of them wait for a credential to expire.
func TestMain(m *testing.M) {
	flag.Parse()
	const name, most = "test.parallel", "4"
	if parallel := flag.Lookup(name); parallel.Value.String() == parallel.DefValue {
		if err := flag.Set(name, most); err != nil {
			panic(err)
		}
	}
	m.Run()
}
