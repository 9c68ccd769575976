"""Calls every method of the greeter with each kind of metadata, and prints what it saw, a JSON object a line.

Usage: client.py ADDRESS PROTOCOL HEADERS...
"""

import json
import sys

import grpc
import schema

METADATA = {
    "none": (),
    "right": ((schema.HEADER.name, schema.HEADER.equals),),
    "wrong": ((schema.HEADER.name, schema.HEADER.equals + "3"),),
    "twice": ((schema.HEADER.name, schema.HEADER.equals),) * 2,
}
PEOPLE = ("Ada", "Grace")


def make(channel, kind, method):
    return getattr(channel, kind)(
        schema.path(method),
        request_serializer=schema.request(method).SerializeToString,
        response_deserializer=schema.response(method).FromString,
    )


def calls(channel):
    """Each yields the responses of one call."""

    def one(method, **fields):
        call = make(channel, "unary_unary", method)
        return lambda options: [call(schema.request(method)(**fields), **options)]

    def repeat(options):
        request = schema.request("RepeatHello")(name="Ada", times=2)
        return list(make(channel, "unary_stream", "RepeatHello")(request, **options))

    def together(options):
        people = (schema.request("GreetTogether")(name=name) for name in PEOPLE)
        return [make(channel, "stream_unary", "GreetTogether")(people, **options)]

    def in_turn(options):
        people = (schema.request("GreetInTurn")(name=name) for name in PEOPLE)
        return list(make(channel, "stream_stream", "GreetInTurn")(people, **options))

    return {
        "SayHello": one("SayHello", name="Ada"),
        "RepeatHello": repeat,
        "GreetTogether": together,
        "GreetInTurn": in_turn,
        "Ping": one("Ping"),
        "details": one("SayHello", name="Nobody"),
    }


def main(address, _, *headers):
    with grpc.insecure_channel(address) as channel:
        for kind, call in calls(channel).items():
            for header in headers:
                seen = {"kind": kind, "header": header, "code": 0, "message": "", "details": [], "answers": []}
                try:
                    answers = call({"metadata": METADATA[header], "timeout": schema.TIMEOUT})
                    seen["answers"] = [getattr(answer, "greeting", "") for answer in answers]
                except grpc.RpcError as error:
                    seen["code"] = error.code().value[0]
                    seen["message"] = error.details()
                    seen["details"] = schema.details_of(error.trailing_metadata())
                print(json.dumps(seen), flush=True)


main(*sys.argv[1:])
