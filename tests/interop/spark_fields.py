"""Reads messages of Spark Connect with Spark's own descriptors: lines of a name, a tab and bytes in hexadecimal, to a list of
what they say, in JSON. The folder of pyspark is the first argument; nothing else of it is imported."""

import json
import os
import sys
import types

from google.protobuf.json_format import MessageToDict
from google.protobuf.unknown_fields import UnknownFieldSet

packages = os.path.dirname(os.path.abspath(sys.argv[1]))
for name in ["pyspark", "pyspark.sql", "pyspark.sql.connect", "pyspark.sql.connect.proto"]:
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [os.path.join(packages, *name.split("."))]

from google.rpc import error_details_pb2, status_pb2
from pyspark.sql.connect.proto import base_pb2

homes = {"google.rpc.Status": status_pb2.Status, "google.rpc.ErrorInfo": error_details_pb2.ErrorInfo}


def unknown(message):
    """How many fields the descriptors do not know, in the message and in those within."""
    count = len(UnknownFieldSet(message))
    for field, value in message.ListFields():
        if field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        count += sum(unknown(inner) for inner in (value if field.is_repeated else [value]))
    return count


answers = []
for line in sys.stdin:
    name, data = line.rstrip("\n").split("\t")
    message = (homes.get(name) or getattr(base_pb2, name))()
    message.ParseFromString(bytes.fromhex(data))
    if unknown(message):
        sys.exit(f"{name} has fields that Spark does not know")
    # What types Any holds is nothing that these descriptors know.
    said = (
        {"details": [{"type_url": detail.type_url, "value": detail.value.decode()} for detail in message.details]}
        if name == "google.rpc.Status"
        else MessageToDict(message, preserving_proto_field_name=True)
    )
    answers.append({name: said})
json.dump(answers, sys.stdout)
