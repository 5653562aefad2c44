"""Configuration: `config.yaml`, overridden by `PITH_…` environment variables, typed and checked."""

import difflib
import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from flows.common.errors import ConfigError, NoDataFolderError
from flows.common.files.config_file import file_here, read_yaml
from flows.common.files.forms import (
    BaseUrl,
    BlockName,
    Category,
    OwnPath,
    PageUrl,
    PublicKey,
    Scheduler,
    Url,
)
from flows.common.files.locations import Location, location_of
from flows.common.files.own_files import OWN_FOLDER
from flows.common.limits import Limits
from flows.common.terminal import looks_like_key

ENV_PREFIX = "PITH_"
BUILDER_VERSION = "pith-ingest-0.2.0"
"""Signed in receipts and snapshots: it moves with every change of what the same paper gives."""
ARXIV_PACE = 3
"""Seconds between two requests (arXiv's terms of use for its APIs)."""

_OTHER_VARIABLES = {"PITH_CONFIG", "PITH_DEBUG", "PITH_SIGNING_KEY"}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_keys(cls, value: object, info: ValidationInfo) -> object:
        """Refuse a key in the place of its name or of its file: most settings are shown."""
        if info.field_name != "public_key" and isinstance(value, str) and looks_like_key(value):
            raise ValueError(
                "looks like a key itself; put that into a file, and that file's name into "
                "identity.key_file"
            )
        return value


class ArxivConfig(_Section):
    """ArXiv's addresses, and the pace of requests to it."""

    oai_url: Url = "https://oaipmh.arxiv.org/oai"
    atom_url: Url = "https://export.arxiv.org/api/query"
    pace_seconds: float = Field(3.0, ge=0)
    contact: str = ""
    pace_file: OwnPath = Path("~/.cache/pith-ingest/arxiv.lock").expanduser()

    @model_validator(mode="after")
    def _keep_arxivs_pace(self) -> Self:
        """Refuse to ask arXiv itself more often than its terms of use allow."""
        hosts = [urlsplit(url).hostname or "" for url in (self.oai_url, self.atom_url)]
        if self.pace_seconds < ARXIV_PACE and any(
            f".{host}".endswith(".arxiv.org") for host in hosts
        ):
            raise ValueError(f"pace_seconds: arXiv asks for {ARXIV_PACE} or more")
        return self


class HarvestConfig(_Section):
    """The days of the nightly harvest."""

    overlap_days: int = Field(3, ge=1)


class KnownKey(_Section):
    """A public key that signed for this registry before, and when: it stays one of ours."""

    key_id: str = Field(min_length=1)
    public_key: PublicKey
    first: date | None = None
    until: date | None = None


class IdentityConfig(_Section):
    """The signer; the default can be taken for nobody (`.invalid` is reserved by RFC 2606)."""

    signer_id: str = Field("unregistered.invalid", min_length=1)
    base_url: BaseUrl = "https://unregistered.invalid"
    resolver_name: str = Field("Unregistered Pith resolver", min_length=1)
    key_id: str | None = Field(None, min_length=1)
    key_secret: BlockName | None = None
    key_file: OwnPath = (OWN_FOLDER / "signing.key").expanduser()
    known_keys: tuple[KnownKey, ...] = ()
    key_url: PageUrl | None = None
    builder_version: str = Field(BUILDER_VERSION, min_length=1)


class ScheduleConfig(_Section):
    """When the nightly harvest runs: a cron line and its time zone."""

    cron: str = "30 5 * * 1-5"
    timezone: str = "UTC"


class OutputsConfig(_Section):
    """The files that are written beside the Parquet tables."""

    bundle_files: Literal["all", "none"] = "all"


class DaskConfig(_Section):
    """The Dask cluster of `runner: dask`; without an address, one of this machine's own."""

    address: Scheduler | None = None


class Config(BaseSettings):
    """All settings; see `config.yaml`, which explains each."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    data_dir: Location = Path("data")
    state_dir: OwnPath = Path("~/.local/state/pith-ingest").expanduser()
    arxiv: ArxivConfig = ArxivConfig()
    harvest: HarvestConfig = HarvestConfig()
    identity: IdentityConfig = IdentityConfig()
    categories: Annotated[list[Category], NoDecode] = []
    schedule: ScheduleConfig = ScheduleConfig()
    outputs: OutputsConfig = OutputsConfig()
    clock_tolerance_seconds: float = Field(300.0, ge=0)
    runner: Literal["local", "dask"] = "local"
    workers: int | None = Field(None, ge=1)
    dask: DaskConfig = DaskConfig()
    limits: Limits = Field(Limits(), exclude=True)
    """No setting of users: tests hand in their own, and workers get those of their run."""

    @field_validator("categories", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Let `PITH_CATEGORIES=cs.LG,hep-th` give a list."""
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment before the file, whose values come as arguments."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def load_config(file: Path | None = None, *, data_dir: Path | str | None = None) -> Config:
    """Read and check the configuration; `data_dir` overrides what it says.

    `file` None means `config.yaml` of the working folder, and the defaults where there is none.
    Relative paths count from the file's folder. Raises `ConfigError` naming the key that is wrong,
    never its value, and `NoDataFolderError` where neither file nor environment nor `data_dir` says
    where the data lie: nothing is kept in a folder only because somebody stands there.
    """
    file = file or file_here()
    folder, config = file.parent if file else Path(), _read(file)
    if file is None and data_dir is None and "data_dir" not in config.model_fields_set:
        raise NoDataFolderError(
            "there is no config.yaml here that says where the data lie: make one with "
            "'pith-ingest init', or name the folder with --data DIR"
        )
    location = config.data_dir if data_dir is None else location_of(data_dir)
    if data_dir is None and isinstance(location, Path):
        location = folder / location
    pace_file = folder / config.arxiv.pace_file
    return config.model_copy(
        update={
            "data_dir": location,
            "state_dir": folder / config.state_dir,
            "identity": _from(folder, config.identity),
            "arxiv": config.arxiv.model_copy(update={"pace_file": pace_file}),
        }
    )


def load_identity(file: Path | None = None, *, here: bool = True) -> IdentityConfig:
    """Read and check the configuration for its identity alone, which needs no data folder.

    `file` None means `config.yaml` of the working folder if `here`, and the defaults else.
    """
    if file is None and here:
        file = file_here()
    return _from(file.parent if file else Path(), _read(file).identity)


def _from(folder: Path, identity: IdentityConfig) -> IdentityConfig:
    return identity.model_copy(update={"key_file": folder / identity.key_file})


def _read(file: Path | None) -> Config:
    values = read_yaml(file) if file else {}
    _refuse_unknown_variables()
    if "limits" in values:
        raise ConfigError(f"{file}: unknown setting limits{_nearest('limits', _settings())}")
    return make_config(values, str(file or "the configuration"))


def make_config(values: dict[str, Any], where: str) -> Config:
    """Return settings with the environment over them; errors name `where` they are from."""
    try:
        return Config(**values)
    except ValidationError as error:
        raise ConfigError(_explain(error, where)) from None
    except SettingsError as error:
        raise ConfigError(f"the environment: {error}, which takes JSON") from None


def check_section(section: type[BaseModel], **settings: str) -> None:
    """Raise `ConfigError` where a section cannot have a setting, whatever the environment says."""
    try:
        section(**settings)
    except ValidationError as error:
        raise ConfigError(_reason(error)) from None


def _refuse_unknown_variables() -> None:
    known = {f"{ENV_PREFIX}{name}".upper() for name in _settings()}
    for variable in sorted(os.environ):
        top = variable.split("__")[0].upper()
        if variable.startswith(ENV_PREFIX) and top not in known | _OTHER_VARIABLES:
            raise ConfigError(f"unknown environment variable {variable}{_nearest(top, known)}")


def _explain(error: ValidationError, where: str) -> str:
    """Return in one sentence what is wrong with the first wrong setting."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    name = ".".join("…" if looks_like_key(part) else part for part in path)
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown setting {name}{_nearest(path[-1], _known_keys(path[:-1]))}"
    return f"{where}: {name}: {_reason(error)}"


def _reason(error: ValidationError) -> str:
    reason = error.errors()[0]["msg"].removeprefix("Value error, ")
    return f"{reason[:1].lower()}{reason[1:]}"


def _settings() -> set[str]:
    return set(Config.model_fields) - {"limits"}


def _known_keys(path: list[str]) -> set[str]:
    model: type[BaseModel] = Config
    for part in path:
        annotation = model.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return set()
        model = annotation
    return _settings() if model is Config else set(model.model_fields)


def _nearest(name: str, known: set[str]) -> str:
    """Suggest what was meant, or list what there is."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(sorted(known))}"
