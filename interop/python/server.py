"""A greeter whose interceptor, written by hand, demands the header that the .proto's options name.

Prints the port that it listens on, and ends when its standard input does.
"""

import sys
from concurrent import futures

import grpc
import schema


class Check(grpc.ServerInterceptor):
    """Refuses calls to methods that are not public, unless the header came once with the right value."""

    def __init__(self):
        self.public = schema.public_paths()

    def intercept_service(self, continuation, details):
        values = [value for key, value in details.invocation_metadata if key == schema.HEADER.name]
        handler = continuation(details)
        if handler is None or details.method in self.public or values == [schema.HEADER.equals]:
            return handler

        def refuse(_, context):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, schema.RULE.denial.message)

        kind = "%s_%s_rpc_method_handler" % (
            "stream" if handler.request_streaming else "unary",
            "stream" if handler.response_streaming else "unary",
        )
        return getattr(grpc, kind)(refuse, handler.request_deserializer, handler.response_serializer)


def greet(method, name):
    return schema.response(method)(greeting="Hello %s!" % name)


def say_hello(request, context):
    if request.name == "Nobody":
        context.set_trailing_metadata(schema.with_detail(5, "nobody to greet", "try Ada"))
        context.abort(grpc.StatusCode.NOT_FOUND, "nobody to greet")
    return greet("SayHello", request.name)


def repeat_hello(request, _):
    return (greet("RepeatHello", request.name) for _ in range(request.times))


def greet_together(requests, _):
    return greet("GreetTogether", " and ".join(request.name for request in requests))


def greet_in_turn(requests, _):
    return (greet("GreetInTurn", request.name) for request in requests)


def ping(_, __):
    return schema.response("Ping")()


def handlers():
    def make(kind, function, method):
        return getattr(grpc, kind + "_rpc_method_handler")(
            function,
            request_deserializer=schema.request(method).FromString,
            response_serializer=schema.response(method).SerializeToString,
        )

    return {
        "SayHello": make("unary_unary", say_hello, "SayHello"),
        "RepeatHello": make("unary_stream", repeat_hello, "RepeatHello"),
        "GreetTogether": make("stream_unary", greet_together, "GreetTogether"),
        "GreetInTurn": make("stream_stream", greet_in_turn, "GreetInTurn"),
        "Ping": make("unary_unary", ping, "Ping"),
    }


def main():
    server = grpc.server(futures.ThreadPoolExecutor(4), interceptors=[Check()])
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler(schema.SERVICE.full_name, handlers()),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(0).wait(schema.TIMEOUT)


main()
