"""What every part of the configuration is made of: strict sections, secrets, paths, and lists that may be one item."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID


class Section(BaseModel):
    """A mapping of known options: unknown ones are refused, values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _resolve(value: Any, info: ValidationInfo) -> Any:
    """What `$NAME` and `file:PATH` stand for; any other value stands for itself."""
    if isinstance(value, str) and value.startswith("$"):
        name = value[1:].strip("{}")
        if name not in os.environ:
            raise ValueError(f"the environment has no variable {name}; set it, or write the value itself")
        return os.environ[name]
    if isinstance(value, str) and value.startswith("file:"):
        path = folder_of(info) / value.removeprefix("file:")
        try:
            return path.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"cannot read the secret from {path}: {_reason(error)}") from None
    return value


def as_list(value: Any) -> Any:
    """One item may stand without the brackets of a list."""
    return [value] if isinstance(value, str | int) else value


def _absolute(value: Any, info: ValidationInfo) -> Any:
    return os.path.normpath(folder_of(info) / value) if isinstance(value, str | Path) else value


def folder_of(info: ValidationInfo) -> Path:
    """The folder that relative paths start from: the configuration file's, else the current one."""
    return Path((info.context or {}).get("folder") or Path.cwd())


def domain(host: str) -> str:
    """A prepared domain; ValueError says why a text is none."""
    try:
        prepared = JID.parse(host)
    except StanzaError as error:
        raise ValueError(f"{host!r} is no domain: {error.text}") from None
    if prepared.local or prepared.resource:
        raise ValueError(f"{host!r} is no domain but an address; write {prepared.domain}")
    return prepared.domain


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it is not UTF-8 text"


SECRECY = BeforeValidator(_resolve)
"""What marks a `Secret`: no error may quote it."""

Secret = Annotated[str, SECRECY]
"""A text that may be written `$NAME` (from the environment) or `file:PATH` (from a file, without its last newline)."""

Words = Annotated[tuple[str, ...], BeforeValidator(as_list)]
"""Some texts; one may stand without the brackets of a list."""

AbsolutePath = Annotated[Path, BeforeValidator(_absolute)]
AbsoluteGlobs = Annotated[tuple[Annotated[str, BeforeValidator(_absolute)], ...], BeforeValidator(as_list)]
