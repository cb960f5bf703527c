"""XEP-0054: vcard-temp, of accounts and of the server. XEP-0153 avatars live in it; their hashes pass in presence."""

from __future__ import annotations

from xmppd.api import ACCOUNT, IQ, SERVER, AccountEvent, Module, ModuleOptions, hook, iq_get, iq_set, option
from xmppd.xmpp.errors import StanzaError
from xmppd.xmpp.jid import JID
from xmppd.xmpp.stanza import Element, escape, serialise

NS_VCARD = "vcard-temp"
UPSERT = "INSERT INTO vcard (account, xml) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET xml = excluded.xml"


class VCard(Module):
    """Keeps one card for each account: its owner writes it, everybody reads it."""

    features, account_features, xeps = {NS_VCARD}, {NS_VCARD}, {"0054": "1.3.0", "0153": "1.1.1"}
    migrations = ("CREATE TABLE vcard (account TEXT PRIMARY KEY, xml TEXT NOT NULL)",)

    class Options(ModuleOptions):
        """How large a card may be, and what the server's own says."""

        max_size: int = option(131072, "Bytes of one card; a photo of 64 KB is 90 KB in base64", least=1024)
        server_name: str = option("xmppd", "FN of the server's own card")
        server_url: str = option("", "URL of the server's own card")

    options: Options

    @iq_get("vCard", NS_VCARD, to=ACCOUNT)
    async def load(self, iq: IQ) -> str:
        """The card, or an empty one for its owner (XEP-0054 3.1); others cannot tell no card from no account (3.3)."""
        row = await self.storage.fetch_one("SELECT xml FROM vcard WHERE account = ?", iq.account)
        if row is not None:
            return str(row[0])
        if not iq.is_own:
            raise StanzaError("service-unavailable")
        return f"<vCard xmlns='{NS_VCARD}'/>"

    @iq_set("vCard", NS_VCARD, to=ACCOUNT)
    async def store(self, iq: IQ) -> None:
        """Replace the card; `forbidden` for anybody else's (3.2)."""
        if not iq.is_own:
            raise StanzaError("forbidden", "you can change no card but your own")
        await self._store(iq.account, iq.payload)

    async def _store(self, account: JID, card: Element) -> None:
        xml = serialise(card).decode()
        if len(xml.encode()) > self.options.max_size:
            raise StanzaError("policy-violation", f"a card may have {self.options.max_size} bytes at most")
        await self.storage.write((UPSERT, (account, xml)))

    @iq_get("vCard", NS_VCARD, to=SERVER)
    async def own_card(self, iq: IQ) -> str:
        """Who the server is."""
        url = f"<URL>{escape(self.options.server_url)}</URL>" if self.options.server_url else ""
        return f"<vCard xmlns='{NS_VCARD}'><FN>{escape(self.options.server_name)}</FN>{url}</vCard>"

    @hook.account_removed
    def forget(self, event: AccountEvent) -> None:
        """Nothing is kept of an account that is gone."""
        self.storage.write(("DELETE FROM vcard WHERE account = ?", (event.account,)))

    async def import_account(self, account: JID, element: Element) -> bool:
        """Take over the `<vCard/>` of an export (XEP-0227 4.7)."""
        if element.tag != f"{{{NS_VCARD}}}vCard":
            return False
        await self._store(account, element)
        return True
