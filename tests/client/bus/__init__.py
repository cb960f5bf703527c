"""The bus's client side, against the servers that are here."""
