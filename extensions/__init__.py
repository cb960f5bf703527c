"""What this server has that others have not; each file or folder is one protocol of our own."""

if __name__ == "extensions":
    raise ImportError("import this package as xmppd.extensions: the folder at the top of the checkout is only its home")
