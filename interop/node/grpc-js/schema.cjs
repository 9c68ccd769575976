// The greeter as proto-loader reads it from our .proto files, options included.
"use strict";

const path = require("node:path");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const root = path.join(__dirname, "..", "..", "..");
const loaded = loader.loadSync(["greeter/v1/greeter.proto", "status/v1/status.proto"], {
  includeDirs: ["example", "proto/options", "interop/proto"].map((dir) => path.join(root, dir)),
  defaults: true,
});

exports.Greeter = grpc.loadPackageDefinition(loaded).greeter.v1.Greeter;
exports.isPublic = (method) => method.options["(grpcauth.v1.method)"]?.public === true;

const status = loaded["interop.status.v1.Status"];
const greeting = loaded["greeter.v1.SayHelloResponse"];
const url = "type.googleapis.com/greeter.v1.SayHelloResponse";
const key = "grpc-status-details-bin";

// detailsOf returns the greetings that a status carries as details.
exports.detailsOf = (metadata) =>
  (metadata?.get(key) ?? []).flatMap((bytes) =>
    status.deserialize(bytes).details.map((detail) =>
      detail.type_url === url || detail.typeUrl === url ? greeting.deserialize(detail.value).greeting : "another type",
    ),
  );

// withDetail returns the trailing metadata of a status with one detail.
exports.withDetail = (code, message, text) => {
  const metadata = new grpc.Metadata();
  const detail = { typeUrl: url, type_url: url, value: greeting.serialize({ greeting: text }) };
  metadata.set(key, Buffer.from(status.serialize({ code, message, details: [detail] })));
  return metadata;
};
