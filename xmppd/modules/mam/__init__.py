"""XEP-0313: Message Archive Management."""

from .module import Mam

__all__ = ["Mam"]
