package vectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Load reads all files of a folder, and refuses those that a runner could misunderstand.
func Load(folder fs.FS) ([]*File, error) {
	paths, err := fs.Glob(folder, "*.json")
	if err != nil || len(paths) == 0 {
		return nil, fmt.Errorf("no vectors found: %w", err)
	}
	var files []*File
	for _, path := range paths {
		file, err := read(folder, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files = append(files, file)
	}
	return files, repeatedCases(files)
}

// repeatedCases is an error if two cases have one name, or differ in nothing that their rule mentions.
func repeatedCases(files []*File) error {
	names, essences := map[string]string{}, map[string]string{}
	for _, file := range files {
		for _, c := range file.Cases {
			if names[c.Name] != "" {
				return fmt.Errorf("two cases, in %s and %s, are called %q", names[c.Name], file.Theme, c.Name)
			}
			essence := file.essence(c)
			if c.Invalid != "" {
				essence = inJSON(file.Levels[c.Rule])
			}
			if essences[essence] != "" {
				return fmt.Errorf("cases %q and %q differ in nothing that their rule mentions",
					essences[essence], c.Name)
			}
			names[c.Name], essences[essence] = file.Theme, c.Name
		}
	}
	return nil
}

func read(folder fs.FS, path string) (*File, error) {
	data, err := fs.ReadFile(folder, path)
	if err != nil {
		return nil, err
	}
	return parse(strings.TrimSuffix(path, ".json"), data)
}

// parse refuses what a runner could pass over: unknown fields, and parts that no case tries.
func parse(theme string, data []byte) (*File, error) {
	file := &File{Theme: theme}
	if err := strictly(data, file); err != nil {
		return nil, err
	}
	if file.About == "" || len(file.Cases) == 0 {
		return nil, errors.New("says not what it is about, or has no case")
	}
	if err := file.resolveLevels(); err != nil {
		return nil, err
	}
	used := map[string]bool{} // rules, slots, and answers
	for _, c := range file.Cases {
		if err := file.checkCase(c, used); err != nil {
			return nil, fmt.Errorf("case %q: %w", c.Name, err)
		}
	}
	for name := range file.findings {
		if !used[name] {
			return nil, fmt.Errorf("no case tries levels %q, which do not resolve: %w", name, file.findings[name])
		}
	}
	for name, rule := range file.Rules {
		if !used[name] {
			return nil, fmt.Errorf("no case tries rule %q", name)
		}
		for _, h := range rule.all() {
			used[h.slot()] = true
			if _, ok := file.Verifiers[h.slot()]; h.verified() && !ok {
				return nil, fmt.Errorf("rule %q: no verifier for %q", name, h.slot())
			}
		}
	}
	for slot, answers := range file.Verifiers {
		if !used[slot] {
			return nil, fmt.Errorf("no rule asks the verifier for %q", slot)
		}
		for credential := range answers {
			answer := answers[credential]
			if !slices.Contains([]string{"", "nil", "background", "another call's"}, answer.Context) ||
				!slices.Contains([]string{"", "error", "status"}, answer.TypedNil) {
				return nil, fmt.Errorf("the answer to %q is unknown", credential)
			}
			if !used[slot+": "+credential] {
				return nil, fmt.Errorf("no case asks the verifier for %q about %q", slot, credential)
			}
		}
	}
	return file, nil
}

// essence is the same for two cases that differ in no value that their rule mentions, and whose verifiers
// answer alike.
func (f *File) essence(c *Case) string {
	parts := []string{inJSON(f.Rules[c.Rule]), fmt.Sprint(f.MaxValueBytes, f.Meddling, f.Excepted)}
	if levels := f.Levels[c.Rule]; levels != nil { // which may add up to the same rule from other parts
		parts[0] = inJSON(levels)
	}
	for _, pair := range c.Send {
		if slices.ContainsFunc(f.Rules[c.Rule].all(), func(h headerInForce) bool { return h.Name == pair.Key }) {
			parts = append(parts, fmt.Sprintf("%q=%q", pair.Key, pair.Value))
		} else {
			parts = append(parts, fmt.Sprintf("%q", pair.Key))
		}
	}
	for _, asked := range c.Asked { // the same token may mean something else in another file
		parts = append(parts, inJSON(f.Verifiers[asked.slot][string(asked.credential)]))
	}
	return strings.Join(parts, " ")
}

func inJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // what was read from JSON can be written
	}
	return string(text)
}
