"""The configuration: one YAML file, read, checked and turned into typed, frozen values."""

from .acl import AccessRule, Acl
from .auth import Auth
from .changes import differences, held_back
from .limits import Limits
from .listen import ComponentHost, Listener
from .model import Config, HostConfig, LogLevel, Shaper
from .problems import ConfigError, explain
from .reading import load
from .section import Secret, Section

__all__ = [
    "AccessRule",
    "Acl",
    "Auth",
    "ComponentHost",
    "Config",
    "ConfigError",
    "HostConfig",
    "Limits",
    "Listener",
    "LogLevel",
    "Secret",
    "Section",
    "Shaper",
    "differences",
    "explain",
    "held_back",
    "load",
]
