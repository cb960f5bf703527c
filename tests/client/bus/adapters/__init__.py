"""The adapters, each against the real library."""
