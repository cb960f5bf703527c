"""Tests that drive XMPP clients which were written elsewhere."""
