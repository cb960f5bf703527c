"""What a program that uses slixmpp imports to speak this server's own protocols. Nothing of the server is in here."""
