"""The users of one host and what is stored of their passwords: SCRAM keys, never a password."""

from .accounts import Accounts
from .importing import Imported

__all__ = ["Accounts", "Imported"]
