"""Files as objects of a store such as S3, each put as a whole; imported only where one is used."""

import io
import json
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from flows.common.errors import ConfigError, StoreError
from flows.common.files.whole_file import Data

try:
    from obstore.exceptions import AlreadyExistsError, BaseError
    from obstore.store import from_url
except ImportError:
    raise ConfigError(
        "data_dir is in an object store, which needs obstore: pip install 'pith-ingest[objects]'"
    ) from None

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from obstore.store import RetryConfig

UNNAMED = "unnamed"
"""Objects below it are on their way to their names; none of them counts."""

PUTS_AT_ONCE = 16
READ_AHEAD = 2**18
"""Bytes asked for at the least: a shard's footer, or a smaller column of it, in one request."""

# Of one request, each attempt of which may take obstore's 30 s. Options of its client would replace
# those that it takes from the environment, such as AWS_ALLOW_HTTP, so there are none.
_RETRY: "RetryConfig" = {
    "max_retries": 8,
    "retry_timeout": timedelta(minutes=3),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=10)},
}


class ObjectFiles:
    """The objects below one URL; credentials come from the environment, and stay in obstore.

    A put or a copy is whole or nothing. Objects are written unnamed below `unnamed/` and then
    copied to their keys by the store itself, so that a worker that outlives its run, or does a unit
    again, never replaces an object that counts.
    """

    def __init__(self, url: str) -> None:
        """Take the URL of a bucket or of a prefix in it; nothing is asked of the store yet."""
        self._url = url.rstrip("/")
        with _saying(f"cannot use {self._url}"):
            self._store = from_url(self._url, retry_config=_RETRY)

    def location(self, key: str = "") -> str:
        """Return the URL."""
        return f"{self._url}/{key}" if key else self._url

    def write_unnamed(self, key: str, data: Data) -> str:
        """Put under a key that nobody else makes."""
        unnamed = f"{UNNAMED}/{secrets.token_hex(8)}/{key}"
        self.write(unnamed, data)
        return unnamed

    def name(self, unnamed: Iterable[tuple[str, str]]) -> None:
        """Let the store copy each to its key, and remove what was copied."""
        named = list(unnamed)
        for temporary, key in named:
            with _saying(f"cannot write {self.location(key)}"):
                self._store.copy(temporary, key)
        self._delete([temporary for temporary, _ in named])

    def remove_unnamed(self) -> int:
        """Remove all that lies below `unnamed/`."""
        with _saying(f"cannot list {self.location(UNNAMED)}"):
            left = [found["path"] for some in self._store.list(UNNAMED) for found in some]
        self._delete(left)
        return len(left)

    def write(self, key: str, data: Data) -> None:
        """Put one object."""
        with _saying(f"cannot write {self.location(key)}"):
            self._store.put(key, memoryview(data).cast("B"), use_multipart=False)

    def write_often(self, key: str, data: Data) -> None:
        """Put one object, as always."""
        self.write(key, data)

    def write_derived(self, files: Iterable[tuple[str, Data]]) -> None:
        """Put many objects, some at the same time: most of a put is waiting."""
        due = iter(files)
        with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
            while some := list(islice(due, 8 * PUTS_AT_ONCE)):
                list(pool.map(self.write, *zip(*some, strict=True)))

    @contextmanager
    def syncing(self, folder: str) -> Iterator[Callable[[], None]]:
        """Yield what does nothing: an object that was put is durable."""
        del folder
        yield lambda: None

    def read(self, key: str) -> bytes:
        """Get the object."""
        with _saying(f"cannot read {self.location(key)}"):
            return bytes(self._store.get(key).bytes())

    def blocks(self, key: str) -> Iterator[bytes]:
        """Get the object as it comes."""
        with _saying(f"cannot read {self.location(key)}"):
            for data in self._store.get(key):
                yield bytes(data)

    def read_json(self, key: str) -> dict[str, Any]:
        """Return an object that we wrote as JSON; what is not there or not that is empty."""
        try:
            found = json.loads(self.read(key))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def exists(self, key: str) -> bool:
        """Request its head."""
        return self.version(key) is not None

    def names(self, folder: str) -> list[str]:
        """List the prefix, and what lies directly below."""
        with _saying(f"cannot list {self.location(folder)}"):
            found = self._store.list_with_delimiter(folder)
        below = [*(one["path"] for one in found["objects"]), *found["common_prefixes"]]
        return [key.rsplit("/", 1)[-1] for key in below]

    def sizes(self, folder: str) -> dict[str, int]:
        """List the prefix with what the store knows of each object."""
        with _saying(f"cannot list {self.location(folder)}"):
            found = self._store.list_with_delimiter(folder)["objects"]
        return {one["path"].rsplit("/", 1)[-1]: one["size"] for one in found}

    def move(self, key: str, to: str) -> None:
        """Let the store copy it, and remove the old one."""
        if self.exists(to):
            raise StoreError(f"cannot write {self.location(to)}: it is there already")
        self.name([(key, to)])

    def remove(self, keys: Iterable[str]) -> None:
        """Delete those that are there: not every store takes the others."""
        self._delete([key for key in keys if self.exists(key)])

    @contextmanager
    def opened(self, key: str) -> Iterator[BinaryIO]:
        """Yield a reader that gets the ranges that are read."""
        with _saying(f"cannot read {self.location(key)}"):
            size = self._store.head(key)["size"]
        with io.BufferedReader(_Reader(self, key, size), READ_AHEAD) as reader:
            yield reader

    def read_range(self, key: str, start: int, length: int) -> Data:
        """Get a part of an object."""
        with _saying(f"cannot read {self.location(key)}"):
            return memoryview(self._store.get_range(key, start=start, length=length))

    def version(self, key: str) -> str | None:
        """Return what tells this object from another under the same key; None if there is none."""
        try:
            with _saying(f"cannot read {self.location(key)}"):
                found = self._store.head(key)
        except FileNotFoundError:
            return None
        return found["e_tag"] or found["last_modified"].isoformat()

    def create(self, key: str, data: bytes) -> bool:
        """Put an object unless there is one; tell whether there was none."""
        try:
            with _saying(f"cannot write {self.location(key)}"):
                self._store.put(key, data, mode="create")
        except FileExistsError:
            return False
        return True

    def send(self, key: str, path: Path) -> None:
        """Put a file of the disk, in parts if it is large."""
        with _saying(f"cannot write {self.location(key)}"):
            self._store.put(key, path)

    def fetch(self, key: str, path: Path) -> None:
        """Get an object as a file of the disk."""
        with _saying(f"cannot read {self.location(key)}"), path.open("wb") as file:
            for data in self._store.get(key):
                file.write(data)

    def _delete(self, keys: list[str]) -> None:
        if keys:
            with _saying(f"cannot remove objects below {self._url}"):
                self._store.delete(keys)


class _Reader(io.RawIOBase):
    """An object as a file that can be read anywhere."""

    def __init__(self, files: ObjectFiles, key: str, size: int) -> None:
        self._files, self._key, self._size = files, key, size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")
        length = max(0, min(len(room), self._size - self._at))
        if length:
            room[:length] = self._files.read_range(self._key, self._at, length)
        self._at += length
        return length


_ANSWER = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,50})</Code>")
_KNOWN = {
    "NoSuchBucket": "there is no such bucket",
    "AccessDenied": "these credentials do not allow it",
    "InvalidAccessKeyId": "the store does not know the access key",
    "SignatureDoesNotMatch": "the secret key is not the one of the access key",
    "ExpiredToken": "the session's credentials have expired",
}


@contextmanager
def _saying(what: str) -> Iterator[None]:
    """Turn the store's errors into sentences; what is not there is a `FileNotFoundError`.

    Of an error's own text only known or harmless parts are used: it may quote what was signed.
    """
    try:
        yield
    except AlreadyExistsError:
        raise FileExistsError(what) from None
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise StoreError(f"{what}: {_KNOWN['NoSuchBucket']}") from None
        raise FileNotFoundError(what) from None
    except (BaseError, PermissionError, ValueError) as error:
        raise StoreError(f"{what}: {_reason(str(error))}") from None


def _reason(text: str) -> str:
    # Where it found no key anywhere else, it asks for what a cloud's own machines would get.
    if "169.254." in text:
        return "no credentials were found, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    code, answer = _CODE.search(text), _ANSWER.search(text)
    if code:
        return _KNOWN.get(code[1], f"the store answered {code[1]}")
    if answer:
        return f"the store answered {answer[1]}"
    return "the store did not answer as it should; is its address right (AWS_ENDPOINT_URL)?"
