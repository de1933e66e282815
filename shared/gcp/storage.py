"""Cloud Storage behind the Bucket port."""

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, cast

from shared.errors import Conflict, NotFound, Retry
from shared.ports import Buckets, StoredObject
from shared.settings import Settings

if TYPE_CHECKING:
    from google.cloud import storage

CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 60


class CloudBucket:
    """One bucket of Cloud Storage."""

    def __init__(self, bucket: "storage.Bucket") -> None:
        self._bucket = bucket

    @property
    def name(self) -> str:
        """The bucket's name."""
        return str(self._bucket.name)

    def find(self, name: str) -> StoredObject | None:
        """Look an object up; None when it is not there."""
        with _translated(name):
            blob = self._bucket.get_blob(name, timeout=TIMEOUT_SECONDS)
        return None if blob is None else _describe(blob)

    def read(self, name: str, generation: int | None = None) -> tuple[bytes, int]:
        """Read a whole small object: (content, generation)."""
        blob = self._bucket.blob(name, generation=generation)
        with _translated(name):
            content = blob.download_as_bytes(timeout=TIMEOUT_SECONDS)
        return content, int(blob.generation)

    @contextmanager
    def open_read(self, name: str, generation: int | None = None) -> Iterator[BinaryIO]:
        """Open an object to read it as a stream."""
        blob = self._bucket.blob(name, generation=generation)
        with (
            _translated(name),
            blob.open("rb", chunk_size=CHUNK_BYTES, timeout=TIMEOUT_SECONDS) as stream,
        ):
            # The client's reader looks for line ends byte by byte.
            yield io.BufferedReader(cast("io.RawIOBase", stream), CHUNK_BYTES)

    def write(
        self,
        name: str,
        content: bytes,
        if_generation: int | None = None,
        content_type: str = "application/json",
    ) -> int:
        """Write a whole small object in one request and return its generation."""
        blob = self._bucket.blob(name)
        with _translated(name):
            blob.upload_from_string(
                content,
                content_type=content_type,
                if_generation_match=if_generation,
                timeout=TIMEOUT_SECONDS,
            )
        return int(blob.generation)

    def open_write(self, name: str, content_type: str) -> AbstractContextManager[BinaryIO]:
        """Open an object to write it as a stream; it exists once the stream is closed."""
        return self._writing(name, content_type)

    @contextmanager
    def _writing(self, name: str, content_type: str) -> Iterator[BinaryIO]:
        blob = self._bucket.blob(name)
        with _translated(name):
            writer = blob.open(
                "wb",
                chunk_size=CHUNK_BYTES,
                content_type=content_type,
                ignore_flush=True,
                timeout=TIMEOUT_SECONDS,
            )
            try:
                yield cast("BinaryIO", writer)
            except BaseException:
                # An unfinished upload is never closed, so the object never comes to exist.
                writer.terminate()
                raise
            writer.close()

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """List the objects whose names begin with a prefix, by name."""
        with _translated(prefix):
            for blob in self._bucket.client.list_blobs(
                self._bucket, prefix=prefix, timeout=TIMEOUT_SECONDS
            ):
                yield _describe(blob)

    def delete(self, name: str) -> None:
        """Delete an object; one that is not there is fine."""
        try:
            with _translated(name):
                self._bucket.blob(name).delete(timeout=TIMEOUT_SECONDS)
        except NotFound:
            return


def open_buckets(settings: Settings) -> Buckets:
    """Open the deployment's four buckets with one client."""
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    credentials = AnonymousCredentials() if settings.cloud == "local" else None
    client = storage.Client(project=settings.project, credentials=credentials)
    return Buckets(
        datasets=CloudBucket(client.bucket(settings.datasets_bucket)),
        documents=CloudBucket(client.bucket(settings.documents_bucket)),
        results=CloudBucket(client.bucket(settings.results_bucket)),
        artifacts=CloudBucket(client.bucket(settings.artifacts_bucket)),
    )


def _describe(blob: "storage.Blob") -> StoredObject:
    return StoredObject(
        name=blob.name,
        generation=int(blob.generation),
        size=int(blob.size or 0),
        updated=blob.updated or datetime.now(UTC),
        content_type=blob.content_type or "",
        content_encoding=blob.content_encoding or "",
    )


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Turn the client's errors into the port's."""
    import requests
    from google.api_core import exceptions
    from google.auth.exceptions import TransportError

    try:
        yield
    except exceptions.NotFound:
        raise NotFound(name) from None
    except exceptions.PreconditionFailed:
        raise Conflict(name) from None
    except (
        exceptions.ServerError,
        exceptions.TooManyRequests,
        exceptions.RetryError,
        requests.ConnectionError,
        requests.Timeout,
        TransportError,
    ) as error:
        raise Retry(f"Cloud Storage: {type(error).__name__} on {name}") from error
