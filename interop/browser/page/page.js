// Makes every call at each door that /plan.json names, reports to its own origin what it saw, and leaves for the
// next page.
//
// Browsers send a request's body whole before they read the response: clients for them have neither client
// streams nor bidirectional ones.
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";

const transports = { "Connect": createConnectTransport, "gRPC-Web": createGrpcWebTransport };

const calls = {
  SayHello: async function* (client, options) { yield client.sayHello({ name: "Ada" }, options); },
  RepeatHello: (client, options) => client.repeatHello({ name: "Ada", times: 2 }, options),
  Ping: async function* (client, options) { yield client.ping({}, options); },
  details: async function* (client, options) { yield client.sayHello({ name: "Nobody" }, options); },
};

const headers = { none: {}, right: { authorization: "42" }, wrong: { authorization: "423" } };

const load = async (path) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
};

const schema = await (await load("/greeter.binpb")).bytes();
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, schema));
const greeter = registry.getService("greeter.v1.Greeter");
const detail = registry.getMessage("greeter.v1.SayHelloResponse");

const make = async (responses) => {
  const made = { code: 0, message: "", details: [], answers: [] };
  try {
    for await (const response of responses) made.answers.push(response.greeting ?? "");
  } catch (reason) {
    const error = ConnectError.from(reason);
    made.code = error.code;
    made.message = error.rawMessage;
    made.details = error.findDetails(detail).map((found) => found.greeting);
  }
  return made;
};

const seen = [];
const { doors, next } = await (await load("/plan.json")).json();
for (const { name, url } of doors) {
  for (const [protocol, createTransport] of Object.entries(transports)) {
    const client = createClient(greeter, createTransport({ baseUrl: url, defaultTimeoutMs: 10_000 }));
    for (const [kind, call] of Object.entries(calls)) {
      for (const [header, sent] of Object.entries(headers)) {
        seen.push({ door: name, protocol, kind, header, ...(await make(call(client, { headers: sent }))) });
      }
    }
  }
}
await fetch("/seen", { method: "POST", body: JSON.stringify(seen) });
if (next) location.assign(next);
