"""The two commands: `xmppd` is the server, `xmppctl` administers it."""
