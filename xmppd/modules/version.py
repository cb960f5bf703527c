"""XEP-0092: Software Version of the server."""

from __future__ import annotations

import platform

from xmppd import __version__
from xmppd.api import IQ, SERVER, Module, ModuleOptions, iq_get, option
from xmppd.xmpp.stanza import escape

NS_VERSION = "jabber:iq:version"


class Version(Module):
    """Says which software this is; what it runs on only where that is wanted."""

    features, xeps = {NS_VERSION}, {"0092": "1.1"}

    class Options(ModuleOptions):
        """What is told."""

        show_os: bool = option(False, "Tell the operating system too (XEP-0092 5 advises against it)")

    options: Options

    @iq_get("query", NS_VERSION, to=SERVER)
    async def answer(self, iq: IQ) -> str:
        """Name and version (XEP-0092 2)."""
        system = f"<os>{escape(platform.platform())}</os>" if self.options.show_os else ""
        return f"<query xmlns='{NS_VERSION}'><name>xmppd</name><version>{__version__}</version>{system}</query>"
