"""`python -m xmppd` is the command `xmppd`."""

from xmppd.cli.xmppd import main

main()
