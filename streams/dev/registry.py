"""A Maven registry: where it is, and how a jar comes from it, in as many pieces as it takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from xml.etree import ElementTree

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from streams.dev import wheels
from streams.errors import FairwayError
from streams.settings import read_settings


def find_address(maven_settings: Path) -> str:
    """Return FAIRWAY_MAVEN_URL, else the mirror that Maven's own settings name, else Maven's default."""
    given = read_settings().maven_url or _mirror(maven_settings)
    downloader = wheels.load("maven_artifact.downloader").Downloader
    return str(given or signature(downloader).parameters["base"].default).rstrip("/")


def _mirror(maven_settings: Path) -> str:
    """Return the address that stands in for Maven's central registry; empty where none does."""
    try:
        elements = ElementTree.parse(maven_settings).iter()  # noqa: S314 - the user's own file
    except (OSError, ElementTree.ParseError):
        return ""
    for element in elements:
        if element.tag.rpartition("}")[2] == "mirror":
            fields = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in element}
            replaced = fields.get("mirrorOf", "").split(",")
            if {"*", "central", "external:*"}.intersection(replaced) and "!central" not in replaced:
                return fields.get("url", "")
    return ""


class Registry:
    """Connections to a registry; threads may share them."""

    def __init__(self, address: str, client: httpx.Client) -> None:
        self.address = address
        self._client = client

    @classmethod
    @contextmanager
    def connect(cls, address: str) -> Iterator["Registry"]:
        """Lend a registry while the body runs; the environment's proxies and certificates count."""
        with httpx.Client(follow_redirects=True, timeout=30) as client:
            yield cls(address, client)

    def download(self, coordinates: str, size: int, file: Path) -> Iterator[int]:
        """Write a jar of `size` bytes to a file, going on after what is there; yield how many bytes came.

        A connection that breaks is tried thrice. Raises FairwayError with what failed; the file is kept.
        """
        try:
            for attempt in Retrying(
                stop=stop_after_attempt(3),
                wait=wait_fixed(0.5),
                retry=retry_if_exception_type(httpx.TransportError),
                reraise=True,
            ):
                with attempt:
                    yield from self._append(coordinates, size, file)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise FairwayError(
                f"'{coordinates}' cannot be fetched from {self.address} ({_explain(error)}): "
                "run this again, for what was fetched is kept, or name another Maven registry in FAIRWAY_MAVEN_URL."
            ) from None

    def _append(self, coordinates: str, size: int, file: Path) -> Iterator[int]:
        have = file.stat().st_size if file.exists() else 0
        if have == size:
            return
        headers = {"Accept-Encoding": "identity", "Range": f"bytes={have if have < size else 0}-"}
        path = wheels.load("maven_artifact.artifact").Artifact.parse(coordinates).uri(self.address)
        with self._client.stream("GET", path, headers=headers) as response:
            response.raise_for_status()
            # A registry that knows no ranges sends all of it.
            goes_on = have < size and response.status_code == httpx.codes.PARTIAL_CONTENT
            with file.open("ab" if goes_on else "wb") as content:
                for piece in response.iter_raw():
                    content.write(piece)
                    yield len(piece)


def _explain(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.response.status_code} {error.response.reason_phrase}"
    return str(error) or type(error).__name__
