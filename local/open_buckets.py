"""Opens a local cloud's buckets through the product's own port."""

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from shared.gcp.storage import CloudBucket
from shared.ports import Buckets


def open_local_buckets(address: str, project: str, names: dict[str, str]) -> Buckets:
    """Open the four buckets of a storage emulator.

    Args:
        address: The emulator's address, such as http://127.0.0.1:4443.
        project: The project.
        names: datasets, documents, results and artifacts -> the bucket's name.
    """
    client = storage.Client(
        project=project,
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": address},
    )
    return Buckets(**{key: CloudBucket(client.bucket(name)) for key, name in names.items()})
