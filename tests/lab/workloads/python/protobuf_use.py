# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Writes and reads a message."""

from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToJson
from outcome import told


def use():
    message = struct_pb2.Struct()
    message.update({"key": [1, "text"]})
    return MessageToJson(struct_pb2.Struct.FromString(message.SerializeToString()))


handler = told(use)
