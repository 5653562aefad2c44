"""What `init` writes: shown first, then written whole, and what to do with it."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from shlex import quote
from typing import Self

import yaml

from flows.cli.setup.answers import Answers, config_text
from flows.common.config import ENV_PREFIX, IdentityConfig, make_config
from flows.common.errors import ConfigError
from flows.common.files.config_file import DEFAULT_FILE
from flows.common.files.whole_file import create_linked
from flows.common.keys import ensure_issuer, has_key, key_location
from flows.common.process.clock import utc_now

SAMPLE = "sample"
_PACKAGE = Path(__file__).parents[2]
_SAMPLES = (_PACKAGE / "sample", _PACKAGE.parent / "data" / "sample")
"""Where the sample lies: in what was installed, or in a clone."""
_FIRST_DAYS = timedelta(days=7)


def refuse_existing(folder: Path) -> None:
    """Raise `ConfigError` where a configuration is there already, or no folder can be."""
    file = folder / DEFAULT_FILE
    if os.path.lexists(file):
        raise ConfigError(
            f"there is {file} already, which 'init' never replaces: edit it, or name another "
            "folder, as in 'pith-ingest init FOLDER'"
        )
    if os.path.lexists(folder) and not folder.is_dir():
        raise ConfigError(f"{folder} is no folder; name one, as in 'pith-ingest init FOLDER'")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written into `folder`: `text` as its configuration, and the key of who signs.

    `identity` is that of the configuration with the environment over it, as every job reads it.
    """

    folder: Path
    answers: Answers
    text: str
    identity: IdentityConfig
    sample: bool

    @classmethod
    def of(cls, folder: Path, answers: Answers, *, sample: bool) -> Self:
        """Return the plan; raises `ConfigError` where the configuration could not be read."""
        text = config_text(answers)
        identity = make_config(yaml.safe_load(text), str(folder / DEFAULT_FILE)).identity
        key_file = folder / identity.key_file
        own = identity.model_copy(update={"key_file": key_file})
        return cls(folder, answers, text, own, sample)

    def lines(self) -> Iterator[str]:
        """Yield what is going to be written."""
        answers = self.answers
        yield f"{self.folder / DEFAULT_FILE}"
        yield f"  data folder  {answers.data_dir}"
        yield f"  contact      {answers.contact or 'none: arXiv cannot write to you'}"
        yield f"  signer       {answers.signer_id}"
        yield f"  registry     {answers.resolver_name}, {answers.base_url}"
        yield f"  categories   {' '.join(answers.categories) or 'all of arXiv'}"
        yield f"  nightly      {answers.cron} ({answers.timezone})"
        yield f"{key_location(self.identity)}"
        yield f"  signing key  {'is there, and is kept' if has_key(self.identity) else 'new'}"
        if self.sample:
            yield f"{self.folder / SAMPLE}"
            yield "  sample       one reply of arXiv's, nine papers and a broken record"
        variables = sorted(name for name in os.environ if name.startswith(ENV_PREFIX))
        if variables:
            yield f"Your environment goes before that file: {', '.join(variables)}"

    def write(self) -> Iterator[str]:
        """Write it, and yield what was done; the configuration last, for `init` begins with it."""
        file = self.folder / DEFAULT_FILE
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.sample:
                _write_sample(self.folder / SAMPLE)
            issuer, is_new = ensure_issuer(self.identity)
            create_linked(file, self.text.encode())
        except OSError as error:
            refuse_existing(self.folder)  # by another process, just now
            raise ConfigError(f"cannot write {error.filename or file}: {error.strerror}") from None
        yield f"wrote {file}"
        yield f"{'made' if is_new else 'kept'} the signing key, fingerprint {issuer.fingerprint}"
        yield f"  in {key_location(self.identity)}"
        yield "  Back it up where nobody else reads it: without it nobody signs as you again,"
        yield "  and with it anybody does."

    def next_lines(self) -> Iterator[str]:
        """Yield the commands that come next, each with what it does."""
        yield "Next:"
        for command, does in self._commands():
            yield f"  {command}"
            if does:
                yield f"      {does}"

    def _commands(self) -> Iterator[tuple[str, str]]:
        if self.folder.resolve() != Path.cwd():
            yield f"cd {quote(str(self.folder))}", ""
        if self.sample:
            yield f"pith-ingest backfill --raw {SAMPLE}", "signs the sample; it has one reject"
            yield "pith-ingest find", "lists its papers with their Pith Numbers"
        else:
            category = next(iter(self.answers.categories), "cs.LG")
            first = utc_now().date() - _FIRST_DAYS
            yield (
                f"pith-ingest backfill --category {category} --from {first} --dry-run",
                "says how long the first days take; without --dry-run it takes them",
            )
        yield "pith-ingest nightly", "takes what changed since, up to now"
        yield "pith-ingest up", "every night by itself, with Prefect's pages and the registry's"


def _write_sample(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    source = next(sample for sample in _SAMPLES if sample.is_dir())
    for file in sorted(source.iterdir()):
        with suppress(FileExistsError):  # of a time before
            create_linked(folder / file.name, file.read_bytes())
