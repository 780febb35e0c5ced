"""The released protocols as messages of their own, made from tables of fields beside this file.

They share nothing with the server's own messages, so that a wrong number there is found here. Each
line of a table is a message, `Name: number field type; ...`, with SV, TS, BV and I32V for the well
known wrappers and times, `[]` before what is repeated, `?` after what is optional, `⊂x` after the
members of a oneof x, and `[]Message.FooEntry` for a map of strings.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from google.protobuf import timestamp_pb2, wrappers_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_FOLDER: Final = Path(__file__).parent
_WELL_KNOWN: Final = {
    "SV": "StringValue",
    "TS": "Timestamp",
    "BV": "BoolValue",
    "I32V": "Int32Value",
}
_SCALARS: Final = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
}
# What Microsoft's tables call by its older name and do not spell out.
_RENAMED: Final = {
    "OrchestrationState": "WorkflowState",
    "OrchestrationInstance": "WorkflowInstance",
    "OrchestratorStartedEvent": "WorkflowStartedEvent",
    "OrchestratorCompletedEvent": "WorkflowCompletedEvent",
    "SubOrchestrationInstanceCompletedEvent": "ChildWorkflowInstanceCompletedEvent",
    "SubOrchestrationInstanceFailedEvent": "ChildWorkflowInstanceFailedEvent",
}

Table = dict[str, str]


class Family:
    """The messages of one family: an attribute for each, as in generated code."""

    def __init__(self, pool: DescriptorPool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return GetMessageClass(self._pool.FindMessageTypeByName(name))


@cache
def dapr() -> Family:
    """The newest released Dapr protocol."""
    return _family(_table("dapr"))


@cache
def older() -> Family:
    """Dapr's protocol as SDKs up to 1.17 speak it, where it differs."""
    return _family(_table("dapr") | _table("older"))


@cache
def microsoft() -> Family:
    """The protocol of Microsoft's durabletask 1.12."""
    return _family(_table("dapr") | _table("microsoft"))


@cache
def runtime() -> Family:
    """Dapr's own service."""
    return _family(_table("runtime"))


def _table(name: str) -> Table:
    lines = (_FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def _family(table: Table) -> Family:
    enums = {name.removesuffix(" (enum)") for name in table if name.endswith(" (enum)")}
    table = table | {old: table[new] for old, new in _RENAMED.items() if new in table}
    for named in sorted(_named_types(table) - table.keys() - enums):
        table[named] = "0 (empty)"
    file = FileDescriptorProto(name="released.proto", syntax="proto3")
    for module in (timestamp_pb2, wrappers_pb2):
        file.dependency.append(module.DESCRIPTOR.name)
    for name, fields in table.items():
        if name.endswith(" (enum)"):
            file.enum_type.append(_enum(name.removesuffix(" (enum)"), fields))
        else:
            file.message_type.append(_message(name, fields, enums))
    pool = DescriptorPool()
    for module in (timestamp_pb2, wrappers_pb2):
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    return Family(pool)


def _fields(text: str) -> Iterator[tuple[int, str, str, str]]:
    """Number, name, type and oneof of each field."""
    for part in text.split("; "):
        number, name, *rest = part.split(" ")
        if int(number) > 0:
            yield int(number), name, rest[0], rest[1].removeprefix("⊂") if rest[1:] else ""


def _named_types(table: Table) -> set[str]:
    types = {
        kind.removeprefix("[]").removesuffix("?")
        for name, text in table.items()
        if not name.endswith(" (enum)")
        for _, _, kind, _ in _fields(text)
    }
    return {kind for kind in types if kind not in _SCALARS | _WELL_KNOWN and "." not in kind}


def _enum(name: str, text: str) -> EnumDescriptorProto:
    enum = EnumDescriptorProto(name=name)
    for part in text.split("; "):
        number, value = part.split(" ")
        # The values of two enums share a scope, and nobody here needs their names.
        enum.value.add(name=f"{name}_{value}", number=int(number))
    return enum


def _message(name: str, text: str, enums: set[str]) -> DescriptorProto:
    message = DescriptorProto(name=name)
    fields = list(_fields(text))
    oneofs = list(dict.fromkeys(oneof for *_, oneof in fields if oneof))
    for oneof in oneofs:
        message.oneof_decl.add(name=oneof)
    for number, field_name, kind, oneof in fields:
        field = message.field.add(name=field_name, number=number)
        repeated = kind.startswith("[]")
        field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
        _set_type(message, field, kind.removeprefix("[]").removesuffix("?"), enums)
        if oneof:
            field.oneof_index = oneofs.index(oneof)
    for field in message.field:
        optional = re.search(rf"(?:^|; ){field.number} \w+ \S+\?", text)
        if optional and field.type != field.TYPE_MESSAGE:
            field.proto3_optional = True
            field.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field.name}")
    return message


def _set_type(
    message: DescriptorProto, field: FieldDescriptorProto, kind: str, enums: set[str]
) -> None:
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    elif kind in enums:
        field.type, field.type_name = field.TYPE_ENUM, f".{kind}"
    elif kind in _WELL_KNOWN:
        field.type, field.type_name = field.TYPE_MESSAGE, f".google.protobuf.{_WELL_KNOWN[kind]}"
    elif "." in kind:
        entry = message.nested_type.add(name=kind.split(".")[1])
        entry.options.map_entry = True
        for number, name in enumerate(("key", "value"), start=1):
            entry.field.add(
                name=name, number=number, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL
            )
        field.type, field.type_name = field.TYPE_MESSAGE, f".{kind}"
    else:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{kind}"
