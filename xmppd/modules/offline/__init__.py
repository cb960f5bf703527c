"""XEP-0160: messages for users who are away."""

from .module import Offline

__all__ = ["Offline"]
