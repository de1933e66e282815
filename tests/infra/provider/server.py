"""Serves providers to Terraform over loopback.

Terraform is told by TF_REATTACH_PROVIDERS that the providers are already running, and where.
It then neither looks for them in the registry nor starts nor stops them.
"""

import json
import os
from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf import empty_pb2

from tests.infra.provider.messages import message
from tests.infra.provider.provider import Provider
from tests.infra.provider.service import ProviderService


class _Methods(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Finds the handler of a call by its name."""

    def __init__(self, service: ProviderService) -> None:
        self._service = service

    def service(self, handler_call_details: Any) -> Any:
        """Return the handler, or None for a call that is not known."""
        path = handler_call_details.method
        if path == "/plugin.GRPCStdio/StreamStdio":
            return grpc.unary_stream_rpc_method_handler(
                _nothing_to_print,
                request_deserializer=empty_pb2.Empty.FromString,
                response_serializer=empty_pb2.Empty.SerializeToString,
            )
        if path == "/plugin.GRPCController/Shutdown":
            return grpc.unary_unary_rpc_method_handler(
                lambda *_: empty_pb2.Empty(),
                request_deserializer=empty_pb2.Empty.FromString,
                response_serializer=empty_pb2.Empty.SerializeToString,
            )
        package, _, name = path.rpartition("/")
        if package != "/tfplugin6.Provider" or not hasattr(self._service, name):
            return None
        return grpc.unary_unary_rpc_method_handler(
            getattr(self._service, name),
            request_deserializer=message(f"{name}.Request").FromString,
            response_serializer=message(f"{name}.Response").SerializeToString,
        )


class ProviderServer:
    """Providers that are running; `reattach` tells Terraform where."""

    def __init__(self, *providers: Provider) -> None:
        self._running = []
        addresses = {}
        for provider in providers:
            workers = futures.ThreadPoolExecutor(4)
            server = grpc.server(workers)
            server.add_generic_rpc_handlers((_Methods(ProviderService(provider)),))
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            self._running.append((server, workers))
            addresses[provider.schema.address] = {
                "Protocol": "grpc",
                "ProtocolVersion": 6,
                "Pid": os.getpid(),
                "Test": True,
                "Addr": {"Network": "tcp", "String": f"127.0.0.1:{port}"},
            }
        self.reattach = json.dumps(addresses)

    def close(self) -> None:
        """Stop serving."""
        for server, workers in self._running:
            server.stop(grace=None).wait()
            workers.shutdown()


def _nothing_to_print(_: Any, __: Any) -> Iterator[Any]:
    """Answer Terraform's wish to see what a provider prints."""
    return iter(())
