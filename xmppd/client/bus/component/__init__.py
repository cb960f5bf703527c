"""Rooms for the bus, and publishing over HTTP, as an external component (XEP-0114) of a server that exists already.

It serves of XEP-0045 what members of a bus need: entering, leaving, being told who is there, talking to all and to one.
No roles, no passwords, no configuration. Messages are kept in memory, bounded, and asked for with XEP-0313.
"""

from .component import Component
from .settings import ComponentSettings

__all__ = ["Component", "ComponentSettings"]
