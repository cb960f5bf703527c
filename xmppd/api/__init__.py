"""All that a module's author imports, beside `xmppd.xmpp`. It only re-exports; nothing lives here.

from xmppd.api import ACCOUNT, IQ, Module, ModuleOptions, hook, iq_get, option
"""

from xmppd.commands import MOST_DAYS, CommandError, Progress, check_days
from xmppd.config import ConfigError, Secret
from xmppd.host import Host, House
from xmppd.metrics import Counter, Gauge, Histogram
from xmppd.rates import Bucket, Buckets
from xmppd.routes import Request, Response
from xmppd.routing.delivery import Action, choose
from xmppd.routing.event import Event
from xmppd.routing.hooks import (
    DIRECT,
    GROUPCHAT,
    SHARED,
    STOP,
    AccountEvent,
    Bound,
    ConfigReloaded,
    Pinged,
    PresenceChanged,
    RosterChanged,
    SessionEvent,
    Stage,
    Verdict,
)
from xmppd.routing.hooks import Hooks as hook
from xmppd.routing.iq import IQ, Replied, Target
from xmppd.routing.returning import Returned
from xmppd.routing.router import Domain, Router
from xmppd.routing.sessions import Door, Session
from xmppd.storage import Commit, Many, Statement, Storage, StorageError
from xmppd.wire.features import Layer, Peer, State
from xmppd.wire.items import Nonza
from xmppd.xmpp.caps import Identity

from .declare import command, every, http_route, iq_get, iq_set, stream_feature
from .module import Module
from .options import ModuleOptions, option

SERVER = Target.SERVER
ACCOUNT = Target.ACCOUNT
FILTER = Stage.FILTER
STAMP = Stage.STAMP
ARCHIVE = Stage.ARCHIVE
COPY = Stage.COPY
DELIVER = Stage.DELIVER

__all__ = [
    "ACCOUNT",
    "ARCHIVE",
    "COPY",
    "DELIVER",
    "DIRECT",
    "FILTER",
    "GROUPCHAT",
    "IQ",
    "MOST_DAYS",
    "SERVER",
    "SHARED",
    "STAMP",
    "STOP",
    "AccountEvent",
    "Action",
    "Bound",
    "Bucket",
    "Buckets",
    "CommandError",
    "Commit",
    "ConfigError",
    "ConfigReloaded",
    "Counter",
    "Domain",
    "Door",
    "Event",
    "Gauge",
    "Histogram",
    "Host",
    "House",
    "Identity",
    "Layer",
    "Many",
    "Module",
    "ModuleOptions",
    "Nonza",
    "Peer",
    "Pinged",
    "PresenceChanged",
    "Progress",
    "Replied",
    "Request",
    "Response",
    "Returned",
    "RosterChanged",
    "Router",
    "Secret",
    "Session",
    "SessionEvent",
    "Stage",
    "State",
    "Statement",
    "Storage",
    "StorageError",
    "Verdict",
    "check_days",
    "choose",
    "command",
    "every",
    "hook",
    "http_route",
    "iq_get",
    "iq_set",
    "option",
    "stream_feature",
]
