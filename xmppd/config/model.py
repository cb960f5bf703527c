"""The whole configuration as typed values, for the server and for each host."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from xmppd.nearest import did_you_mean
from xmppd.xmpp.jid import JID

from .acl import AccessRule, Acl
from .auth import Auth
from .limits import Limits
from .listen import Listener
from .problems import ConfigError, explain
from .section import AbsoluteGlobs, AbsolutePath, Secret, Section, domain

Options = Annotated[dict[str, Any], BeforeValidator(lambda value: {} if value is None else value)]
"""A module's options as written; the loader checks them against the module's own model."""


LogLevel = Literal["debug", "info", "warning", "error", "critical"]
TLSVersion = Annotated[Literal["1.2", "1.3"], BeforeValidator(str)]  # YAML reads 1.2 as a number


class Shaper(Section):
    """How fast a peer may send."""

    rate: int = Field(ge=1000, description="Bytes a second.")
    burst: int = Field(ge=1000, description="Bytes at once before the rate holds.")


class HostOverride(Section):
    """What one host has otherwise than the rest."""

    auth: Auth = Auth()
    modules: dict[str, Options] = Field(default={}, description="Added, or instead of the module's options above.")
    without: tuple[str, ...] = Field(default=(), description="Modules of the list above that this host does not load.")


@dataclass(frozen=True, slots=True)
class HostConfig:
    """What holds for one host, its overrides applied and `@HOST@` filled in."""

    host: str
    auth: Auth
    modules: Mapping[str, dict[str, Any]]


class Config(Section):
    """Everything that can be configured: made by `load`, or by `from_dict`, where all has a default."""

    hosts: tuple[str, ...] = Field(default=("localhost",), min_length=1, description="The domains served here.")
    data_dir: AbsolutePath = Field(description="Its own certificates, keys, the SQLite file, the control socket.")
    database: Secret = Field(default="sqlite", repr=False, description="sqlite, or postgresql://user:password@host/db.")
    loglevel: LogLevel = Field(default="info", description="Least to log.")
    certfiles: AbsoluteGlobs = Field(default=(), description="PEM files (globs) with chain and key.")
    client_ca: AbsolutePath | None = Field(default=None, description="PEM: who signs client certificates (EXTERNAL).")
    tls_min_version: TLSVersion = Field(default="1.2", description="Oldest TLS.")
    resource_conflict: Literal["setresource", "closeold", "closenew"] = Field(
        default="closeold", description="Resource taken: give another, close the old session, or refuse the new one."
    )
    listen: tuple[Listener, ...] = Field(
        default=(Listener(port=0, ip="127.0.0.1", module="c2s"),), description="The doors of the server."
    )
    auth: Auth = Field(default=Auth(), description="How users log in.")
    acl: dict[str, Acl] = Field(default={}, description="Groups of users by name, beside all, none and local.")
    access_rules: dict[str, AccessRule] = Field(default={}, description="Who may do what, by name.")
    shaper: dict[str, Shaper] = Field(default={}, description="Speeds by name.")
    limits: Limits = Field(default=Limits(), description="What nobody may exceed.")
    modules: dict[str, Options] = Field(default={}, description="Module -> its options. Only what is named is loaded.")
    host_config: dict[str, HostOverride] = Field(default={}, description="Host -> what is different there.")

    _folder: Path = PrivateAttr(default_factory=Path.cwd)
    _file: Path | None = PrivateAttr(default=None)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], folder: Path | None = None) -> Self:
        """A configuration made in code; relative paths start from `folder`, else the current one.

        `ConfigError` lists all that is wrong. Without `data_dir` a temporary one lives as long as the object.
        """
        temporary = None if "data_dir" in values else tempfile.mkdtemp(prefix="xmppd-")
        try:
            config = cls.model_validate({"data_dir": temporary, **values}, context={"folder": folder})
        except ValidationError as error:
            shutil.rmtree(temporary or "", ignore_errors=True)
            raise ConfigError(explain(error, cls)) from None
        config._folder = folder or Path.cwd()
        if temporary:
            weakref.finalize(config, shutil.rmtree, temporary, ignore_errors=True)
        return config

    @property
    def file(self) -> Path | None:
        """The file it was read from, None where it was made in code."""
        return self._file

    @property
    def folder(self) -> Path:
        """Where relative paths and `file:` of module options start from."""
        return self._folder

    @property
    def control_socket(self) -> Path:
        """Where the running server takes admin commands."""
        return self.data_dir / "control.sock"

    def make_data_dir(self) -> Path:
        """Create `data_dir` for its owner alone (0700) where it is missing; `ConfigError` where that is refused."""
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError([f"data_dir: cannot make {self.data_dir}: {error.strerror}"]) from None
        return self.data_dir

    def of_host(self, host: str) -> HostConfig:
        """The part that concerns one host, which must be one of `hosts`."""
        override = self.host_config.get(host, HostOverride())
        changed = {name: getattr(override.auth, name) for name in override.auth.model_fields_set}
        modules = {name: options for name, options in self.modules.items() if name not in override.without}
        filled = _filled(modules | override.modules, host)
        return HostConfig(host, self.auth.model_copy(update=changed), filled)

    def allows(self, rule: str, account: JID, address: str | None = None) -> bool:
        """Whether an access rule, or an acl of that name, lets somebody in; an unknown name lets nobody in."""
        if rule in self.access_rules:
            steps = self.access_rules[rule].root
            return next((verb == "allow" for verb, acl in steps if self._matches(acl, account, address)), False)
        return self._matches(rule, account, address)

    def _matches(self, acl: str, account: JID, address: str | None) -> bool:
        if acl in self.acl:
            return self.acl[acl].matches(account, address, self.hosts)
        return acl == "all" or (acl == "local" and bool(account.local) and account.domain in self.hosts)

    @field_validator("hosts")
    @classmethod
    def _prepare_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        hosts = tuple(domain(host) for host in value)
        for host in hosts:
            if hosts.count(host) > 1:
                raise ValueError(f"{host} is named twice")
        return hosts

    @field_validator("database")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value != "sqlite" and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must be sqlite or postgresql://user:password@host/name")
        return value

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        known = {
            "acl": {*self.acl, *self.access_rules, "all", "none", "local"},
            "shaper": {*self.shaper},
            "host": {*self.hosts},
        }
        used = [("host", host, f"host_config.{host}") for host in self.host_config]
        for index, door in enumerate(self.listen):
            used.append(("acl", door.access, f"listen[{index}].access"))
            used.extend([("shaper", door.shaper, f"listen[{index}].shaper")] if door.shaper else [])
        for name, rule in self.access_rules.items():
            used.extend(("acl", acl, f"access_rules.{name}") for _, acl in rule.root)
        wrong = [
            f"{path}: there is no {kind} {name!r}{did_you_mean(name, known[kind])}"
            for kind, name, path in used
            if name not in known[kind]
        ]
        if wrong:
            raise ValueError("\n".join(wrong))
        return self


def _filled(value: Any, host: str) -> Any:
    if isinstance(value, str):
        return value.replace("@HOST@", host)
    if isinstance(value, dict):
        return {key: _filled(item, host) for key, item in value.items()}
    return [_filled(item, host) for item in value] if isinstance(value, list) else value
