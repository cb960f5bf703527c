"""XEP-0045: multi-user chat, on a domain of its own."""

from .module import Muc

__all__ = ["Muc"]
