// A greeter that demands the header by hand, except where the .proto's options say that a method is public.
// Prints the port that it listens on, and ends when its standard input does.
"use strict";

const grpc = require("@grpc/grpc-js");
const { Greeter, isPublic, withDetail } = require("./schema.cjs");

const greet = (name) => ({ greeting: `Hello ${name}!` });

// check is the interceptor: it ends calls without the header before a handler sees them.
const check = (method, call) =>
  new grpc.ServerInterceptingCall(call, {
    start: (next) =>
      next({
        onReceiveMetadata: (metadata, forward) => {
          const values = metadata.get("authorization");
          if (isPublic(method) || (values.length === 1 && values[0] === "42")) return forward(metadata);
          call.sendStatus({ code: grpc.status.UNAUTHENTICATED, details: "Access denied!" });
        },
      }),
  });

const handlers = {
  SayHello: ({ request: { name } }, answer) => {
    if (name !== "Nobody") return answer(null, greet(name));
    const [code, details] = [grpc.status.NOT_FOUND, "nobody to greet"];
    answer({ code, details, metadata: withDetail(code, details, "try Ada") });
  },
  RepeatHello: (call) => {
    for (let i = 0; i < call.request.times; i++) call.write(greet(call.request.name));
    call.end();
  },
  GreetTogether: (call, answer) => {
    const names = [];
    call.on("data", ({ name }) => names.push(name));
    call.on("end", () => answer(null, greet(names.join(" and "))));
  },
  GreetInTurn: (call) => {
    call.on("data", ({ name }) => call.write(greet(name)));
    call.on("end", () => call.end());
  },
  Ping: (_, answer) => answer(null, {}),
};

// An interceptor is given the method's path and kind, not its options.
const methods = new Map(Object.values(Greeter.service).map((method) => [method.path, method]));
const server = new grpc.Server({
  interceptors: [(definition, call) => check(methods.get(definition.path), call)],
});
server.addService(Greeter.service, handlers);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
process.stdin.resume();
process.stdin.on("end", () => server.forceShutdown());
