package vectors

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// binary marks, before base64, a value of which a reader would not see the bytes.
const binary = "base64:"

// marked is a value in the form in which the files state it.
func marked(key, value string) Value {
	if strings.HasSuffix(key, "-bin") {
		return Value(binary + base64.StdEncoding.EncodeToString([]byte(value)))
	}
	return Value(value)
}

// strictly decodes JSON in which every field is known.
func strictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON value")
	}
	return nil
}

// UnmarshalJSON reads [key, value].
func (p *Pair) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	if err := strictly(data, &parts); err != nil {
		return err
	}
	if len(parts) != 2 {
		return fmt.Errorf("%s is not a key and a value", data)
	}
	return errors.Join(strictly(parts[0], &p.Key), strictly(parts[1], &p.Value))
}

// Unmarked is the value as it travels: the reverse of marked.
func (p Pair) Unmarked() (string, error) {
	text, isMarked := strings.CutPrefix(string(p.Value), binary)
	if isMarked != strings.HasSuffix(p.Key, "-bin") {
		return "", fmt.Errorf("%q: the values of -bin keys, and of no others, begin with %q", p.Key, binary)
	}
	if !isMarked {
		return text, nil
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(text)
	return string(decoded), err
}

// UnmarshalJSON reads [slot, credential] or [slot, credential, principal].
func (a *question) UnmarshalJSON(data []byte) error {
	var parts []json.RawMessage
	if err := strictly(data, &parts); err != nil {
		return err
	}
	switch len(parts) {
	case 3:
		if err := strictly(parts[2], &a.principal); err != nil {
			return err
		}
	case 2:
	default:
		return fmt.Errorf("%s is not a slot, a credential, and perhaps a principal", data)
	}
	return errors.Join(strictly(parts[0], &a.slot), strictly(parts[1], &a.credential))
}

// UnmarshalJSON reads a string or its long form.
func (v *Value) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*v = Value(text)
		return nil
	}
	var long struct {
		Text  string `json:"text"`
		Then  string `json:"then"`
		Times int    `json:"times"`
	}
	if err := strictly(data, &long); err != nil {
		return err
	}
	if long.Then == "" || long.Times < 2 {
		return fmt.Errorf("%s repeats nothing", data)
	}
	*v = Value(long.Text + strings.Repeat(long.Then, long.Times))
	return nil
}
