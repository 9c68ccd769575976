// The greeter as it stands in a descriptor set of our .proto files, options included: GRPCAUTH_DESCRIPTORS names it.
"use strict";

const { readFileSync } = require("node:fs");
const { createFileRegistry, fromBinary, getOption } = require("@bufbuild/protobuf");
const { FileDescriptorSetSchema } = require("@bufbuild/protobuf/wkt");

const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(process.env.GRPCAUTH_DESCRIPTORS)),
);
const methodOption = registry.getExtension("grpcauth.v1.method");

exports.Greeter = registry.getService("greeter.v1.Greeter");
exports.SayHelloResponse = registry.getMessage("greeter.v1.SayHelloResponse");
exports.isPublic = (method) => getOption(method, methodOption).public;
