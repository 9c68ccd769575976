// Command floor is a plugin that reads its request with protogen, as all plugins for Go do, and writes nothing.
package main

import "google.golang.org/protobuf/compiler/protogen"

func main() {
	protogen.Options{}.Run(func(*protogen.Plugin) error { return nil })
}
