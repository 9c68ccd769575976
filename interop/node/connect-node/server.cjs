// A greeter that demands the header by hand, except where the .proto's options say that a method is public.
// It speaks gRPC, gRPC-Web and Connect over HTTP/2. Prints the port that it listens on, and ends when its standard
// input does.
"use strict";

const http2 = require("node:http2");
const { Code, ConnectError } = require("@connectrpc/connect");
const { connectNodeAdapter } = require("@connectrpc/connect-node");
const { Greeter, SayHelloResponse, isPublic } = require("./schema.cjs");

const greet = (name) => ({ greeting: `Hello ${name}!` });

// check refuses calls without the header before a handler sees them.
const check = (next) => (request) => {
  if (isPublic(request.method) || request.header.get("authorization") === "42") return next(request);
  throw new ConnectError("Access denied!", Code.Unauthenticated);
};

const greeter = {
  sayHello({ name }) {
    if (name !== "Nobody") return greet(name);
    throw new ConnectError("nobody to greet", Code.NotFound, undefined, [
      { desc: SayHelloResponse, value: { greeting: "try Ada" } },
    ]);
  },
  async *repeatHello({ name, times }) {
    for (let i = 0; i < times; i++) yield greet(name);
  },
  async greetTogether(requests) {
    const names = [];
    for await (const { name } of requests) names.push(name);
    return greet(names.join(" and "));
  },
  async *greetInTurn(requests) {
    for await (const { name } of requests) yield greet(name);
  },
  ping: () => ({}),
};

const routes = (router) => router.service(Greeter, greeter);
const server = http2.createServer(connectNodeAdapter({ routes, interceptors: [check] }));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
