"""Caches that people use already, kept right by the bus. Each is a file, and an extra such as `xmppd[bus-django]`."""
