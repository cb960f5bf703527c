"""One door of the server: where it listens, for whom, and how it is encrypted."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from .section import AbsolutePath, Secret, Section, Words, domain

Answerer = Literal["bosh", "websocket", "host_meta", "metrics", "pages", "modules"]
"""What may answer at a path of a door for HTTP; `modules` are the routes that modules add beneath it."""

Networks = Annotated[
    tuple[IPv4Network | IPv6Network, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]
Addresses = Annotated[
    tuple[IPv4Address | IPv6Address, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]
HTTP_ONLY: Final = (
    "addresses",
    "request_handlers",
    "origins",
    "trusted_proxies",
    "cleartext",
    "urls",
    "see_other_uri",
    "document_root",
)
ELSEWHERE: Final = ("wss", "ws", "https", "http")


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
    request_handlers: dict[str, Answerer] = Field(
        default={}, description="http only: path -> bosh, websocket, host_meta, metrics, pages or modules."
    )
    origins: Words = Field(
        default=(),
        description='http only: the web sites whose pages may come here, as https://chat.example; "*" is every site. '
        "Pages of the door's own address always may, and programs that are no browsers.",
    )
    trusted_proxies: Networks = Field(
        default=(), description="http only: addresses whose X-Forwarded-For and X-Forwarded-Proto are believed."
    )
    cleartext: Literal["never", "loopback", "always"] = Field(
        default="never", description="http only: who may log in without TLS. PLAIN is not for them in any case."
    )
    urls: dict[Literal["bosh", "websocket"], str] = Field(
        default={}, description="http only: where clients find these from outside, for host-meta; else as they came."
    )
    see_other_uri: Words = Field(
        default=(),
        description="http only: where clients are sent when the server shuts down (RFC 7395 3.6.1, XEP-0124 17.2): "
        "WebSockets to the first wss:// here, BOSH sessions to the first https://.",
    )
    addresses: Addresses = Field(
        default=(), description="http only: this server's addresses as seen from outside, for host-meta (XEP-0487)."
    )
    document_root: AbsolutePath | None = Field(default=None, description="http only: the folder that `pages` shows.")
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

    @field_validator("origins")
    @classmethod
    def _origins_are_sites(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            scheme, found, host = origin.partition("://")
            if origin != "*" and (not found or not scheme or not host or "/" in host):
                raise ValueError(f"{origin!r} is no origin; write it as https://chat.example or http://localhost:8080")
        return tuple(origin.lower() for origin in value)

    @field_validator("see_other_uri")
    @classmethod
    def _elsewhere_is_a_uri(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for uri in value:
            if uri.partition("://")[0] not in ELSEWHERE:
                raise ValueError(f"{uri!r} is no address of a web door; write wss://... or https://...")
        return value

    @field_validator("hosts")
    @classmethod
    def _components_have_domains(cls, value: dict[str, ComponentHost]) -> dict[str, ComponentHost]:
        return {domain(name): host for name, host in value.items()}

    @model_validator(mode="after")
    def _options_fit_the_module(self) -> Self:
        for option, module in (*((option, "http") for option in HTTP_ONLY), ("hosts", "component")):
            if option in self.model_fields_set and self.module != module:
                raise ValueError(f"{option} belongs to module: {module}, not {self.module}")
        if "pages" in self.request_handlers.values() and self.document_root is None:
            raise ValueError("pages needs document_root: the folder that it shows")
        if self.module == "component" and not self.hosts:
            raise ValueError("a door for components needs hosts: {domain: {password: ...}}")
        if self.tls and self.starttls != "none":
            raise ValueError("a door has tls: true or starttls, not both; direct TLS needs no starttls")
        return self

    def elsewhere(self, *schemes: str) -> str:
        """Where clients are sent at the end, by the first of these schemes that there is one for; "" for none."""
        found = (uri for scheme in schemes for uri in self.see_other_uri if uri.startswith(f"{scheme}://"))
        return next(found, "")

    @property
    def address(self) -> str | None:
        """The host to give to asyncio's `create_server`: None for every interface, both families."""
        return None if self.ip == "::" else self.ip
