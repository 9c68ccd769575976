"""The greeter's methods and rules, read from the messages and options that protoc generated."""

import google.protobuf.any_pb2  # noqa: F401  (status_pb2 refers to it)
from greeter.v1 import greeter_pb2
from grpcauth.v1 import options_pb2
from status.v1 import status_pb2

SERVICE = greeter_pb2.DESCRIPTOR.services_by_name["Greeter"]
RULE = SERVICE.GetOptions().Extensions[options_pb2.service]
HEADER = RULE.headers[0]
DETAILS = "grpc-status-details-bin"
TIMEOUT = 10  # seconds, for one call


def path(method):
    return "/%s/%s" % (SERVICE.full_name, method)


def request(method):
    return getattr(greeter_pb2, method + "Request")


def response(method):
    return getattr(greeter_pb2, method + "Response")


def public_paths():
    return {
        path(method.name)
        for method in SERVICE.methods
        if method.GetOptions().Extensions[options_pb2.method].public
    }


def details_of(trailing):
    """The greetings that a status carries as details."""
    found = []
    for key, value in trailing or ():
        if key == DETAILS:
            for detail in status_pb2.Status.FromString(value).details:
                greeting = greeter_pb2.SayHelloResponse()
                found.append(greeting.greeting if detail.Unpack(greeting) else detail.type_url)
    return found


def with_detail(code, message, greeting):
    """The trailing metadata of a status with one detail."""
    answer = status_pb2.Status(code=code, message=message)
    answer.details.add().Pack(greeter_pb2.SayHelloResponse(greeting=greeting))
    return ((DETAILS, answer.SerializeToString()),)
