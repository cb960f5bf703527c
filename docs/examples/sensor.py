"""A sensor that whoever is allowed to can listen to: both ends of a data channel.

    python sensor.py serve sensor@localhost/lab PASSWORD
    python sensor.py listen me@localhost PASSWORD sensor@localhost/lab --count 5

`--host` and `--port` name a server that the address does not lead to, `--trust` a certificate that it made itself.
"""

import argparse
import asyncio
import os
import time

from slixmpp import JID, ClientXMPP

from xmppd.client.channels import Channels, anyone, unpacked


async def serve(xmpp: ClientXMPP) -> None:
    """Offer the load of this machine, ten times a second, to everybody who knows our address."""
    channels = Channels.of(xmpp)

    @channels.service("load", allow=anyone, when_slow="drop")
    async def load(asker: JID):
        """The load of this machine"""
        while True:
            yield {"at": time.time(), "load": os.getloadavg()[0]}
            await asyncio.sleep(0.1)

    print("serving as", xmpp.boundjid.full, flush=True)
    await xmpp.disconnected


async def listen(xmpp: ClientXMPP, sensor: str, count: int) -> None:
    """Print so many readings, gathered into blocks of half a second, and stop."""
    async for reading in Channels.of(xmpp).open(sensor, "load", batch=500, decode=unpacked):
        print(f"{reading['at']:.1f} {reading['load']:.2f}", flush=True)
        count -= 1
        if count == 0:
            break


async def session(asked: argparse.Namespace) -> ClientXMPP:
    """A client whose session has begun."""
    xmpp = ClientXMPP(JID(asked.jid), asked.password)
    xmpp.ca_certs = asked.trust
    begun = asyncio.get_running_loop().create_future()
    xmpp.add_event_handler("session_start", begun.set_result, disposable=True)
    for event, why in (("failed_all_auth", "the password is wrong"), ("ssl_invalid_chain", "see --trust")):
        xmpp.add_event_handler(event, lambda _, why=why: begun.set_exception(SystemExit(why)))
    xmpp.connect(asked.host or xmpp.boundjid.domain, asked.port)
    await begun
    return xmpp


async def main() -> None:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["serve", "listen"])
    parser.add_argument("jid")
    parser.add_argument("password")
    parser.add_argument("sensor", nargs="?", help="the sensor's full address, to listen to it")
    parser.add_argument("--count", type=int, default=50, help="readings to listen to")
    parser.add_argument("--host", default="")
    parser.add_argument("--port", type=int, default=5222)
    parser.add_argument("--trust", help="a file with a certificate to trust")
    asked = parser.parse_args()
    xmpp = await session(asked)
    if asked.what == "serve":
        await serve(xmpp)
    else:
        await listen(xmpp, asked.sensor, asked.count)
        await xmpp.disconnect()


if __name__ == "__main__":
    asyncio.run(main())
