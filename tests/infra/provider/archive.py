"""A stand-in for hashicorp/archive: the data source `archive_file`, which writes a zip.

The zip depends on the names and the contents of its files alone. Their times and modes do not
go into it, unlike with the real provider, which copies the modes of files that it reads.
"""

import hashlib
import io
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from tests.infra.provider.provider import Plan, Refused
from tests.infra.provider.schemas import ProviderSchema, archive_schema
from tests.infra.provider.values import Object, is_wholly_known
from tests.infra.provider.wire import Problem

SOURCES = ("source", "source_content", "source_file", "source_dir")
WRITTEN = (2049, 1, 1, 0, 0, 0)
MODE = 0o100644


class ArchiveProvider:
    """Reads `archive_file`; paths are taken from the folder that Terraform runs in."""

    def __init__(self, folder: Path) -> None:
        self.schema: ProviderSchema = archive_schema()
        self._folder = folder

    def validate_data(self, type_name: str, config: Object) -> list[Problem]:
        """Check that there is one source, and that it is to be a zip."""
        problems = []
        given = [name for name in SOURCES if config.get(name) not in (None, [])]
        if len(given) != 1 and is_wholly_known(config):
            wanted = ",".join(SOURCES)
            problems.append(
                Problem("Invalid Attribute Combination", f"Exactly one of [{wanted}] must be set.")
            )
        if (config["source_content"] is None) != (config["source_content_filename"] is None):
            problems.append(
                Problem(
                    "Invalid Attribute Combination",
                    "source_content and source_content_filename must be set together.",
                )
            )
        if is_wholly_known(config["type"]) and config["type"] != "zip":
            problems.append(
                Problem("Unsupported archive type", f"Only zip is known, not {config['type']!r}.")
            )
        return problems

    def read_data(self, type_name: str, config: Object, settings: Object) -> Object:
        """Write the zip and return its digests."""
        files = dict(sorted(self._files(config)))
        if not files:
            raise Refused(Problem("Archive creation error", "The archive has no files."))
        content = zip_of(files)
        path = self._folder / config["output_path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        sha1 = hashlib.sha1(content, usedforsecurity=False)
        sha256, sha512 = hashlib.sha256(content), hashlib.sha512(content)
        return {
            **config,
            "id": sha1.hexdigest(),
            "output_size": len(content),
            "output_md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
            "output_sha": sha1.hexdigest(),
            "output_sha256": sha256.hexdigest(),
            "output_base64sha256": b64encode(sha256.digest()).decode(),
            "output_sha512": sha512.hexdigest(),
            "output_base64sha512": b64encode(sha512.digest()).decode(),
        }

    def validate_resource(self, type_name: str, config: Object) -> list[Problem]:
        """Refuse: there are no resources."""
        raise NotImplementedError(type_name)

    def plan(
        self,
        type_name: str,
        config: Object,
        prior: Object | None,
        proposed: Object,
        settings: Object,
    ) -> Plan:
        """Refuse: there are no resources."""
        raise NotImplementedError(type_name)

    def apply(self, type_name: str, planned: Object, settings: Object) -> Object:
        """Refuse: there are no resources."""
        raise NotImplementedError(type_name)

    def _files(self, config: Object) -> Iterator[tuple[str, bytes]]:
        """Go through the archive's files: (name, content)."""
        try:
            for source in config["source"] or []:
                yield source["filename"], source["content"].encode()
            if config["source_content"] is not None:
                yield config["source_content_filename"], config["source_content"].encode()
            if config["source_file"] is not None:
                path = self._folder / config["source_file"]
                yield path.name, path.read_bytes()
            if config["source_dir"] is not None:
                yield from self._files_below(config)
        except OSError as error:
            raise Refused(Problem("Archive creation error", str(error))) from error

    def _files_below(self, config: Object) -> Iterator[tuple[str, bytes]]:
        """Go through the files of a folder, without those that are excluded."""
        folder = self._folder / config["source_dir"]
        if not folder.is_dir():
            raise Refused(Problem("Archive creation error", f"could not archive {folder}"))
        excluded = config["excludes"] or []
        for path in folder.rglob("*"):
            inside = path.relative_to(folder)
            if path.is_file() and not any(_excludes(pattern, inside) for pattern in excluded):
                yield inside.as_posix(), path.read_bytes()


def zip_of(files: dict[str, bytes]) -> bytes:
    """Write a zip in memory.

    Args:
        files: Name -> content, in the order of the archive.
    """
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, WRITTEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = MODE << 16
            entry.create_system = 3
            archive.writestr(entry, content)
    return written.getvalue()


def _excludes(pattern: str, path: Path) -> bool:
    """Whether a pattern, or the folder that it names, leaves a file out."""
    return any(place.match(pattern) for place in (path, *path.parents) if place.name)
