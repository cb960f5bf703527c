"""Tests of the login exchanges."""
