"""Who is meant: access control lists by name, and rules that allow or deny them."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Literal

from pydantic import Field, RootModel, field_validator, model_validator

from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID, nodeprep

from .section import Section, Words, as_list, domain


class Acl(Section):
    """Somebody matches who is named by any of the lists."""

    user: Words = Field(default=(), description="user@host, or user alone for that name on every host of ours.")
    server: Words = Field(default=(), description="Every user of these domains.")
    ip: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="Addresses or networks such as 10.0.0.0/8."
    )

    @field_validator("user")
    @classmethod
    def _prepare_users(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_prepared(user) for user in value)

    @field_validator("server")
    @classmethod
    def _prepare_servers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(domain(server) for server in value)

    @field_validator("ip", mode="before")
    @classmethod
    def _are_networks(cls, value: Any) -> Any:
        value = as_list(value)
        return [ip_network(str(address)) for address in value] if isinstance(value, list | tuple) else value

    def matches(self, account: JID, address: str | None, hosts: tuple[str, ...]) -> bool:
        """Whether an account (any resource), or the IP address it comes from, is meant. `hosts` are ours.

        Who has gone already has the address "", which is none.
        """
        if account.bare in self.user or account.domain in self.server:
            return True
        if account.local in self.user and account.domain in hosts:
            return True
        if not self.ip or not address:
            return False
        known = ip_address(address)
        return any(known in network for network in self.ip)


class AccessRule(RootModel[tuple[tuple[Literal["allow", "deny"], str], ...]]):
    """Steps in order, as ejabberd writes them: `{deny: blocked, allow: all}`; the first whose acl matches decides."""

    @model_validator(mode="before")
    @classmethod
    def _flatten(cls, value: Any) -> Any:
        steps = value if isinstance(value, list) else [value]
        if not all(isinstance(step, dict) for step in steps):
            raise ValueError("write it as {allow: ACL} or a list of {deny: ACL} and {allow: ACL}")
        return [pair for step in steps for pair in step.items()]


def _prepared(user: str) -> str:
    try:
        return JID.parse(user) if "@" in user else nodeprep(user)
    except StanzaError as error:
        raise ValueError(f"{user!r} is neither user nor user@host: {error.text}") from None
