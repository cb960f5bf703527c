"""Hostile input against a live server."""
