package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
)

// outcome collects what became of the mutants that were tried.
type outcome struct {
	mutex    sync.Mutex
	killed   []*mutant
	survived []*mutant
}

func (o *outcome) add(one *mutant, killer string) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if killer == "" {
		o.survived = append(o.survived, one)
		return
	}
	o.killed = append(o.killed, one)
}

func (o *outcome) print(explained map[string]string) {
	known := 0
	for _, one := range o.survived {
		if explained[one.key()] != "" {
			known++
		}
	}
	fmt.Printf("%d tried: %d killed, %d explained, %d survive\n",
		len(o.killed)+len(o.survived), len(o.killed), known, len(o.survived)-known)
}

// judge is nil if every survivor is explained and, where all mutants were tried, every explanation is needed.
func (o *outcome) judge(explained map[string]string, all bool) error {
	var wrong []string
	survived := map[string]bool{}
	for _, one := range o.survived {
		survived[one.key()] = true
		if explained[one.key()] == "" {
			wrong = append(wrong, "survives: "+one.String())
		}
	}
	for key := range explained {
		if all && !survived[key] {
			wrong = append(wrong, "explained, and killed or gone: "+key)
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("kill them with a test, or explain them in %s:\n%s", survivorsFile, strings.Join(wrong, "\n"))
	}
	return nil
}

// readSurvivors reads paragraphs: lines that begin with "# " explain the mutants whose keys follow.
func readSurvivors(path string) (map[string]string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the survivors: %w", err)
	}
	explained := map[string]string{}
	var why strings.Builder
	inKeys := false
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSpace(line)
		comment, isComment := strings.CutPrefix(line, "# ")
		switch {
		case line == "":
		case isComment && inKeys:
			why.Reset()
			fallthrough
		case isComment:
			inKeys = false
			why.WriteString(comment + " ")
		default:
			inKeys = true
			if why.Len() == 0 {
				return nil, fmt.Errorf("%s: %q is not explained", path, line)
			}
			explained[line] = why.String()
		}
	}
	return explained, nil
}
