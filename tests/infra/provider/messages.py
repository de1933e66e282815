"""The message types of Terraform's plugin protocol 6, read from its compiled description."""

from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

DATA = Path(__file__).resolve().parent / "data"


@cache
def _pool() -> Any:
    """Build the pool of descriptors, a private one, so that no other code sees it."""
    file = descriptor_pb2.FileDescriptorProto()
    file.ParseFromString((DATA / "tfplugin6.desc").read_bytes())
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


@cache
def message(name: str) -> Any:
    """Return a message class.

    Args:
        name: Its name in the package, such as `PlanResourceChange.Request`.
    """
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"tfplugin6.{name}"))
