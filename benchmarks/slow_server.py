"""A model's server that does nothing but wait: python -m benchmarks.slow_server SECONDS.

It prints its port, and answers every request after so long with five candidates.
"""

import asyncio
import json
import sys

SAMPLES = 5
_TEXT = "where_is_my_parcel"
_BODY = json.dumps(
    {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": _TEXT}]}, "finishReason": "STOP"}
        ]
        * SAMPLES,
        "usageMetadata": {"promptTokenCount": 90, "candidatesTokenCount": 25},
        "modelVersion": "slow",
    }
).encode()
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
) + _BODY


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next((line for line in lines if line.startswith(b"content-length:")), b":0")
            await reader.readexactly(int(length.partition(b":")[2]))
            await asyncio.sleep(seconds)
            writer.write(_ANSWER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        # The client is done.
        return
    finally:
        writer.close()


async def main(seconds: float) -> None:
    """Serve until the process is ended."""
    server = await asyncio.start_server(
        lambda reader, writer: _serve(reader, writer, seconds), "127.0.0.1", 0, backlog=512
    )
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
