// Calls every method of the greeter with each kind of metadata, and prints what it saw, a JSON object a line.
// Usage: client.cjs ADDRESS PROTOCOL HEADERS...
"use strict";

const grpc = require("@grpc/grpc-js");
const { Greeter, detailsOf } = require("./schema.cjs");

const [address, , ...headers] = process.argv.slice(2);
const client = new Greeter(address, grpc.credentials.createInsecure());
const values = { none: [], right: ["42"], wrong: ["423"] };
const people = ["Ada", "Grace"];

// collect resolves with the responses of a call, or rejects with its status.
const collect = (start) =>
  new Promise((resolve, reject) => {
    const answers = [];
    const call = start((error, answer) => (error ? reject(error) : resolve([answer])));
    if (call.on && call.read) {
      call.on("data", (answer) => answers.push(answer));
      call.on("error", reject);
      call.on("end", () => resolve(answers));
    }
  });

const sendPeople = (call) => {
  for (const name of people) call.write({ name });
  call.end();
  return call;
};

const calls = {
  SayHello: (...options) => collect((done) => client.SayHello({ name: "Ada" }, ...options, done)),
  RepeatHello: (...options) => collect(() => client.RepeatHello({ name: "Ada", times: 2 }, ...options)),
  GreetTogether: (...options) => collect((done) => sendPeople(client.GreetTogether(...options, done))),
  GreetInTurn: (...options) => collect(() => sendPeople(client.GreetInTurn(...options))),
  Ping: (...options) => collect((done) => client.Ping({}, ...options, done)),
  details: (...options) => collect((done) => client.SayHello({ name: "Nobody" }, ...options, done)),
};

const main = async () => {
  for (const [kind, call] of Object.entries(calls)) {
    for (const header of headers) {
      const metadata = new grpc.Metadata();
      for (const value of values[header]) metadata.add("authorization", value);
      const seen = { kind, header, code: 0, message: "", details: [], answers: [] };
      try {
        const answers = await call(metadata, { deadline: Date.now() + 10_000 });
        seen.answers = answers.map((answer) => answer.greeting ?? "");
      } catch (error) {
        Object.assign(seen, { code: error.code, message: error.details, details: detailsOf(error.metadata) });
      }
      console.log(JSON.stringify(seen));
    }
  }
  client.close();
};

main();
