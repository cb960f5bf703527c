"""RFC 6121 2 and 3: rosters and presence subscriptions."""

from .module import Rosters

__all__ = ["Rosters"]
