"""XEP-0016: privacy lists."""

from .module import Privacy

__all__ = ["Privacy"]
