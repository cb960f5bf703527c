"""Modules for the loader's tests, as a third party would write them."""

from xmppd.api import (
    ACCOUNT,
    FILTER,
    IQ,
    SERVER,
    Counter,
    Event,
    Module,
    ModuleOptions,
    SessionEvent,
    command,
    every,
    hook,
    iq_get,
    iq_set,
    option,
    stream_feature,
)


class Everything(Module):
    """Declares one of each."""

    features = {"urn:test:everything"}
    account_features = {"urn:test:account"}
    migrations = ("CREATE TABLE IF NOT EXISTS everything (n INTEGER NOT NULL)",)
    seen = Counter("Stanzas seen")

    class Options(ModuleOptions):
        """Two options."""

        color: str = option("red", "A color")
        size: int = option(3, "A size", least=1, most=10)

    running = False
    ran = 0

    async def start(self) -> None:
        self.running = True

    async def stop(self) -> None:
        self.running = False

    def serves(self) -> str:
        return f"everything.{self.host.name}"

    async def handle(self, event: Event) -> None:
        self.seen.inc()

    @hook.session_send.at(FILTER)
    def see(self, event: Event) -> None:
        self.seen.inc()

    @hook.session_closed
    async def leave(self, event: SessionEvent) -> None: ...

    @iq_get("q", "urn:test:everything", to=SERVER)
    async def answer(self, iq: IQ) -> str:
        return "<q xmlns='urn:test:everything'/>"

    @iq_set("q", "urn:test:everything", to=ACCOUNT)
    async def change(self, iq: IQ) -> None: ...

    @command("everything", "Says how many")
    async def how_many(self) -> int:
        return 42

    @every(10)
    def tick(self) -> None:
        self.ran += 1

    @stream_feature("everything", "urn:test:everything go", advertise="<everything xmlns='urn:test:everything'/>")
    async def begin(self, peer: object, element: object) -> None: ...


class Fails(Everything):
    """Goes wrong in the middle of being attached: `Everything` answers the same request."""

    def serves(self) -> str:
        return ""
