"""What our plugins for slixmpp have in common: how a program gets one, and how one asks whether the server knows it."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from slixmpp import ClientXMPP
from slixmpp.plugins.base import BasePlugin


class Plugin(BasePlugin):
    """A plugin of one slixmpp client. `of` gives it; `feature` is what the server lists where it knows the protocol."""

    dependencies: ClassVar[set[str]] = {"xep_0030"}
    feature: ClassVar[str] = ""
    xmpp: ClientXMPP

    @classmethod
    def of(cls, xmpp: ClientXMPP, **config: Any) -> Self:
        """The plugin of this client, registered with this configuration on first use."""
        plugins: Any = xmpp.plugin
        if not plugins.enabled(cls.name):
            xmpp.register_plugin(cls.name, config)
        plugin: Self = plugins[cls.name]
        return plugin

    async def supported(self) -> bool:
        """Whether the server knows the protocol."""
        disco: Any = self.xmpp.plugin["xep_0030"]
        reply = await disco.get_info(jid=self.xmpp.boundjid.domain)
        return self.feature in reply["disco_info"]["features"]
