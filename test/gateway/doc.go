// Package gateway holds the recipes of docs/transports.md for grpc-gateway v2, and the tests that they do what the
// document says, with the example's services behind a real gateway: dialled, and in process. The cases of
// testdata/vectors run there too. It is a module of its own, because the gateway has dependencies that nobody else
// should inherit.
//
// The folders deskgw and greetergw hold what protoc-gen-grpc-gateway writes for these services, with
// generate_unbound_methods: POST /recipes.v1.Desk/WithToken. generated_test.go writes them anew with -update.
package gateway
