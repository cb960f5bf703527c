"""Streams without sockets: bytes in, events and bytes out."""
