"""Runs the chosen rows on the chosen servers and collects the figures."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.accounts import union
from tests.bench.certificate import make_certificate
from tests.bench.peer import Peer
from tests.bench.row import Effort, Figure, Row


@dataclass
class Results:
    """Figures by row and server name; `failures` says what could not be measured and why."""

    figures: dict[str, dict[str, Figure]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def figure(self, row: str, peer: str) -> Figure | None:
        return self.figures.get(row, {}).get(peer)


def run(rows: Sequence[Row], peers: Sequence[type[Peer]], effort: Effort, say: Callable[[str], None]) -> Results:
    """Measure row by row, the servers one after another in each, each freshly started on its filled folder."""
    results = Results()
    with tempfile.TemporaryDirectory(prefix="xmppd-bench-") as folder:
        ready = _provision(rows, peers, effort, Path(folder), results, say)
        for row in rows:
            for peer in ready:
                if row.suits(type(peer)):
                    say(f"{row.name}: {peer.title}")
                    _measure(row, peer, effort, results)
    return results


def _provision(
    rows: Sequence[Row],
    peers: Sequence[type[Peer]],
    effort: Effort,
    folder: Path,
    results: Results,
    say: Callable[[str], None],
) -> list[Peer]:
    accounts = union(account for row in rows for account in row.accounts(effort))
    certificate, key = make_certificate(folder)
    ready = []
    for kind in peers:
        home = folder / kind.name
        home.mkdir()
        peer = kind(home, certificate, key)
        say(f"{len(accounts)} accounts for {peer.title}")
        try:
            peer.provision(accounts)
            ready.append(peer)
        except (OSError, RuntimeError) as error:
            results.failures.append(f"{peer.title} could not be set up: {error}")
    return ready


def _measure(row: Row, peer: Peer, effort: Effort, results: Results) -> None:
    try:
        peer.keep_archives(row.archive)
        peer.start()
        results.figures.setdefault(row.name, {})[peer.name] = row.measure(peer, effort)
    except (OSError, RuntimeError, AssertionError) as error:
        results.failures.append(f"{row.name} on {peer.title}: {error}{_last_words(peer)}")
    finally:
        peer.stop()


def _last_words(peer: Peer) -> str:
    log = peer.folder / "output.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "".join(f"\n    {line}" for line in lines[-5:])
