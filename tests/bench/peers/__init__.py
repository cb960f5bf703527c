"""One file for each server that can be measured; a file's `PEER` joins by lying here."""

import importlib
import pkgutil

from tests.bench.peer import Peer


def all_peers() -> list[type[Peer]]:
    """Every peer of this folder, in the order of the table's columns."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return sorted((module.PEER for module in modules), key=lambda peer: peer.place)
