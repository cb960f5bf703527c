"""A shop whose prices are cached in each of its processes, and right in all of them.

    export BUS_JID=alice@localhost BUS_PASSWORD=... BUS_ROOM=shop@conference.localhost
    python bus_flask.py 5001 &
    python bus_flask.py 5002 &
    curl http://127.0.0.1:5001/price/tea                          # {"price": 3, ...}
    curl -X PUT -d 4 http://127.0.0.1:5001/price/tea
    curl http://127.0.0.1:5002/price/tea                          # {"price": 4, ...}

BUS_HOST and BUS_PORT name a server that the address does not lead to, BUS_CA_CERTS a certificate that it made itself.
"""

import os
import sqlite3
import sys
from contextlib import closing

from flask import Flask, abort, request

from xmppd.client.bus import SyncBus

app = Flask(__name__)
bus = SyncBus(
    os.environ["BUS_JID"],
    os.environ["BUS_PASSWORD"],
    os.environ["BUS_ROOM"],
    host=os.environ.get("BUS_HOST", ""),
    port=int(os.environ.get("BUS_PORT", "5222")),
    ca_certs=os.environ.get("BUS_CA_CERTS", ""),
)
prices = bus.cache(ttl=3600)


def database() -> sqlite3.Connection:
    """The one place where prices are true."""
    connection = sqlite3.connect(os.environ.get("SHOP", "shop.sqlite"))
    connection.execute("CREATE TABLE IF NOT EXISTS prices (name TEXT PRIMARY KEY, price INTEGER)")
    return connection


def load(name: str) -> int | None:
    """Ask the database."""
    with closing(database()) as connection:
        row = connection.execute("SELECT price FROM prices WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


@app.get("/price/<name>")
def price(name: str):
    """From the cache, or from the database."""
    found = prices.get_or_load(f"price:{name}", lambda: load(name))
    return {"price": found, "hits": prices.stats.hits, "loads": prices.stats.loads} if found else abort(404)


@app.put("/price/<name>")
def change(name: str):
    """Commit first, then say it; answer when all processes have dropped the old price."""
    with closing(database()) as connection, connection:
        connection.execute("REPLACE INTO prices VALUES (?, ?)", (name, int(request.get_data(as_text=True))))
    receipt = bus.invalidate(f"price:{name}", confirm=True, timeout=5)
    return {"confirmed": len(receipt.confirmed), "missing": sorted(receipt.missing)}


if __name__ == "__main__":
    bus.start()
    app.run(port=int(sys.argv[1]))
