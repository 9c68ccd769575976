package main

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	greeterv1 "github.com/grpcauth/protoc-gen-go-grpcauth/example/greeter/v1"
	"github.com/grpcauth/protoc-gen-go-grpcauth/interop/internal/cases"
)

//go:embed page
var files embed.FS

// A plan is what a page does.
type plan struct {
	Doors []address `json:"doors"`
	Next  string    `json:"next"` // the page to go to at the end, if any: Chromium opens only one without a window
}

// An address is where a page finds a door.
type address struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

// sighting is what a page saw of a call.
type sighting struct {
	cases.Call

	Door     string `json:"door"`
	Protocol string `json:"protocol"`
}

// A site is what one origin serves: the page and all that it loads. The page posts what it saw.
type site struct {
	listener net.Listener
	origin   string
	plan     plan
	seen     chan []sighting
}

func newSite(ctx context.Context) (*site, error) {
	listener, origin, err := listen(ctx)
	if err != nil {
		return nil, err
	}
	return &site{listener: listener, origin: origin, seen: make(chan []sighting, 1)}, nil
}

// serve begins when the plan is made. The page's packages are where npm installed them.
func (s *site) serve(ctx context.Context, modules string) error {
	handler, err := s.handler(modules)
	if err != nil {
		return err
	}
	serve(ctx, s.listener, handler)
	return nil
}

func (s *site) handler(modules string) (http.Handler, error) {
	page, err := fs.Sub(files, "page")
	if err != nil {
		return nil, fmt.Errorf("the page: %w", err)
	}
	set := &descriptorpb.FileDescriptorSet{}
	addFile(set, greeterv1.File_greeter_v1_greeter_proto, map[string]bool{})
	schema, err := proto.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("marshal the greeter's schema: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(page))
	mux.Handle("GET /modules/", http.StripPrefix("/modules/", http.FileServer(http.Dir(modules))))
	mux.HandleFunc("GET /greeter.binpb", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(schema)
	})
	mux.HandleFunc("GET /plan.json", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(s.plan)
	})
	mux.HandleFunc("POST /seen", func(w http.ResponseWriter, r *http.Request) {
		var seen []sighting
		if err := json.NewDecoder(r.Body).Decode(&seen); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		select {
		case s.seen <- seen:
		default: // it has said so before
		}
	})
	return mux, nil
}

// addFile adds a file after those that it imports.
func addFile(set *descriptorpb.FileDescriptorSet, file protoreflect.FileDescriptor, added map[string]bool) {
	if added[file.Path()] {
		return
	}
	added[file.Path()] = true
	for i := range file.Imports().Len() {
		addFile(set, file.Imports().Get(i).FileDescriptor, added)
	}
	set.File = append(set.File, protodesc.ToFileDescriptorProto(file))
}
