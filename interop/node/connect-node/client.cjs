// Calls every method of the greeter with each kind of metadata, and prints what it saw, a JSON object a line.
// Usage: client.cjs ADDRESS PROTOCOL HEADERS...
"use strict";

const { Code, ConnectError, createClient } = require("@connectrpc/connect");
const { createConnectTransport, createGrpcTransport, createGrpcWebTransport } = require("@connectrpc/connect-node");
const { Greeter, SayHelloResponse } = require("./schema.cjs");

const [address, protocol, ...headers] = process.argv.slice(2);
const transports = { gRPC: createGrpcTransport, "gRPC-Web": createGrpcWebTransport, Connect: createConnectTransport };
const client = createClient(Greeter, transports[protocol]({ baseUrl: `http://${address}`, httpVersion: "2" }));
const values = { none: {}, right: { authorization: "42" }, wrong: { authorization: "423" } };
const people = ["Ada", "Grace"];

async function* sendPeople() {
  for (const name of people) yield { name };
}

const one = async (answer) => [await answer];

const all = async (stream) => {
  const answers = [];
  for await (const answer of stream) answers.push(answer);
  return answers;
};

const calls = {
  SayHello: (options) => one(client.sayHello({ name: "Ada" }, options)),
  RepeatHello: (options) => all(client.repeatHello({ name: "Ada", times: 2 }, options)),
  GreetTogether: (options) => one(client.greetTogether(sendPeople(), options)),
  GreetInTurn: (options) => all(client.greetInTurn(sendPeople(), options)),
  Ping: (options) => one(client.ping({}, options)),
  details: (options) => one(client.sayHello({ name: "Nobody" }, options)),
};

const main = async () => {
  for (const [kind, call] of Object.entries(calls)) {
    for (const header of headers) {
      const seen = { kind, header, code: 0, message: "", details: [], answers: [] };
      try {
        const answers = await call({ headers: values[header], timeoutMs: 10_000 });
        seen.answers = answers.map((answer) => answer.greeting ?? "");
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        const details = error.findDetails(SayHelloResponse).map((detail) => detail.greeting);
        Object.assign(seen, { code: error.code, message: error.rawMessage, details });
      }
      console.log(JSON.stringify(seen));
    }
  }
};

main().then(() => process.exit(0)); // the transport keeps its connection, and with it the process
