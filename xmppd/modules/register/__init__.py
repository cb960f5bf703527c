"""XEP-0077: In-Band Registration."""

from .module import Register

__all__ = ["Register"]
