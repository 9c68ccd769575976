package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
)

// A commandLine is a client that makes one call each time it is run, such as grpcurl: it prints the answers as
// JSON, and of a call that failed the status.
type commandLine struct {
	// command is given the flags for headers (-H) and data (-d) besides.
	command func(address, protocol, method string, flags []string) []string
	failure func(printed []byte) (code codes.Code, message string, details []string, err error)
}

// calls makes every call with each of the headers, some at a time.
func (c commandLine) calls(ctx context.Context, address, protocol string, headers []string) ([]cases.Call, error) {
	var (
		kinds  = cases.Kinds()
		seen   = make([]cases.Call, len(kinds)*len(headers))
		errs   = make([]error, len(seen))
		places = make(chan struct{}, runtime.NumCPU())
		all    sync.WaitGroup
	)
	for i := range seen {
		kind, header := kinds[i/len(headers)], headers[i%len(headers)]
		places <- struct{}{}
		all.Go(func() {
			seen[i], errs[i] = c.call(ctx, address, protocol, kind, header)
			<-places
		})
	}
	all.Wait()
	return seen, errors.Join(errs...)
}

func (c commandLine) call(ctx context.Context, address, protocol, kind, header string) (cases.Call, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	method, data := request(kind)
	flags := []string{"-d", data}
	for _, value := range valuesOf(header) {
		flags = append(flags, "-H", "authorization: "+value)
	}
	arguments := c.command(address, protocol, method, flags)
	var out, complaints bytes.Buffer
	command := exec.CommandContext(ctx, arguments[0], arguments[1:]...)
	command.Stdout, command.Stderr = &out, &complaints
	command.WaitDelay = time.Second // npm's buf is a script: the program that it starts outlives it
	failed := command.Run()
	made := cases.Call{Kind: kind, Header: header}
	var exit *exec.ExitError
	switch {
	case errors.As(failed, &exit):
		var err error
		if made.Code, made.Message, made.Details, err = c.failure(complaints.Bytes()); err != nil {
			return made, fmt.Errorf("%s: %w, which is not how it tells a status: %s", arguments[0], err, &complaints)
		}
	case failed != nil:
		return made, fmt.Errorf("run %s: %w", arguments[0], failed)
	}
	answers := json.NewDecoder(&out)
	for {
		var answer struct {
			Greeting string `json:"greeting"`
		}
		err := answers.Decode(&answer)
		if errors.Is(err, io.EOF) {
			return made, nil
		}
		if err != nil {
			return made, fmt.Errorf("%s printed no JSON: %w", arguments[0], err)
		}
		made.Answers = append(made.Answers, answer.Greeting)
	}
}

// request is the path of the method and the JSON that is sent to it.
func request(kind string) (method, data string) {
	person := func(name string) string { return fmt.Sprintf(`{"name": %q}`, name) }
	switch kind {
	case cases.RepeatHello:
		return greeterv1.Greeter_RepeatHello_FullMethodName, fmt.Sprintf(`{"name": %q, "times": %d}`, ada, repeats)
	case cases.GreetTogether:
		return greeterv1.Greeter_GreetTogether_FullMethodName, person(people()[0]) + person(people()[1])
	case cases.GreetInTurn:
		return greeterv1.Greeter_GreetInTurn_FullMethodName, person(people()[0]) + person(people()[1])
	case cases.Ping:
		return greeterv1.Greeter_Ping_FullMethodName, "{}"
	default:
		return greeterv1.Greeter_SayHello_FullMethodName, person(nameFor(kind))
	}
}

func valuesOf(header string) []string {
	switch header {
	case cases.Right:
		return []string{"42"}
	case cases.Wrong:
		return []string{"423"}
	case cases.Twice:
		return []string{"42", "42"}
	default:
		return nil
	}
}

// grpcurlFailure reads a google.rpc.Status in protobuf's JSON, which grpcurl prints with -format-error.
func grpcurlFailure(printed []byte) (code codes.Code, message string, details []string, err error) {
	var status struct {
		Code    codes.Code `json:"code"`
		Message string     `json:"message"`
		Details []struct {
			Type     string `json:"@type"`
			Greeting string `json:"greeting"`
		} `json:"details"`
	}
	if err := json.Unmarshal(printed, &status); err != nil {
		return 0, "", nil, fmt.Errorf("no JSON: %w", err)
	}
	for _, detail := range status.Details {
		if !strings.HasSuffix(detail.Type, "/greeter.v1.SayHelloResponse") {
			detail.Greeting = detail.Type
		}
		details = append(details, detail.Greeting)
	}
	return status.Code, status.Message, details, nil
}

// bufFailure reads an error as the Connect protocol has it, which buf prints whatever the protocol was.
func bufFailure(printed []byte) (code codes.Code, message string, details []string, err error) {
	var failure struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Details []struct {
			Type  string `json:"type"`
			Value string `json:"value"`
		} `json:"details"`
	}
	if err := json.Unmarshal(printed, &failure); err != nil {
		return 0, "", nil, fmt.Errorf("no JSON: %w", err)
	}
	if err := code.UnmarshalJSON([]byte(strings.ToUpper(fmt.Sprintf("%q", failure.Code)))); err != nil {
		return 0, "", nil, fmt.Errorf("no code: %w", err)
	}
	for _, detail := range failure.Details {
		details = append(details, decoded(detail.Type, detail.Value))
	}
	return code, failure.Message, details, nil
}

// decoded is the greeting in a detail, or what prevents it.
func decoded(name, value string) string {
	encoded, err := base64.RawStdEncoding.DecodeString(value)
	if err != nil {
		return err.Error()
	}
	var greeting greeterv1.SayHelloResponse
	if name != string(greeting.ProtoReflect().Descriptor().FullName()) {
		return name
	}
	if err := proto.Unmarshal(encoded, &greeting); err != nil {
		return err.Error()
	}
	return greeting.GetGreeting()
}
