"""One door of the server: where it listens, for whom, and how it is encrypted."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from .section import Secret, Section, domain


class ComponentHost(Section):
    """A component (XEP-0114) that may connect under one domain."""

    password: Secret = Field(min_length=1, repr=False, description="The secret both sides know.")


class Listener(Section):
    """A port and the protocol spoken there."""

    port: int = Field(ge=0, le=65535, description="0 takes any free port.")
    ip: str = Field(default="::", description='An address; "::" is every interface, IPv4 and IPv6.')
    module: Literal["c2s", "s2s", "http", "component"] = Field(default="c2s", description="The protocol.")
    starttls: Literal["required", "optional", "none"] = Field(default="required", description="c2s and s2s only.")
    tls: bool = Field(default=False, description="TLS from the first byte (XEP-0368; https).")
    shaper: str | None = Field(default=None, description="The name of a shaper; none: as fast as the peer sends.")
    access: str = Field(default="all", description="The access rule or acl that says who may log in here.")
    request_handlers: dict[str, str] = Field(default={}, description="http only: path -> what answers there.")
    hosts: dict[str, ComponentHost] = Field(default={}, description="component only: domain -> {password: ...}.")

    @model_validator(mode="before")
    @classmethod
    def _direct_tls_has_no_starttls(cls, values: Any) -> Any:
        return {"starttls": "none", **values} if isinstance(values, dict) and values.get("tls") else values

    @field_validator("ip")
    @classmethod
    def _is_address(cls, value: str) -> str:
        try:
            return str(ip_address(value))
        except ValueError:
            raise ValueError(f"{value!r} is no IP address; for this machine alone write 127.0.0.1") from None

    @field_validator("request_handlers")
    @classmethod
    def _paths_begin_at_the_root(cls, value: dict[str, str]) -> dict[str, str]:
        for path in value:
            if not path.startswith("/"):
                raise ValueError(f"the path {path!r} must begin with /")
        return value

    @field_validator("hosts")
    @classmethod
    def _components_have_domains(cls, value: dict[str, ComponentHost]) -> dict[str, ComponentHost]:
        return {domain(name): host for name, host in value.items()}

    @model_validator(mode="after")
    def _options_fit_the_module(self) -> Self:
        for option, module in (("request_handlers", "http"), ("hosts", "component")):
            if getattr(self, option) and self.module != module:
                raise ValueError(f"{option} belongs to module: {module}, not {self.module}")
        if self.module == "component" and not self.hosts:
            raise ValueError("a door for components needs hosts: {domain: {password: ...}}")
        if self.tls and self.starttls != "none":
            raise ValueError("a door has tls: true or starttls, not both; direct TLS needs no starttls")
        return self

    @property
    def address(self) -> str | None:
        """The host to give to asyncio's `create_server`: None for every interface, both families."""
        return None if self.ip == "::" else self.ip
