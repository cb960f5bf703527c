"""The proof of coherence: processes with caches over one database, while everything around them breaks.

python -m tests.client.bus.coherence --minutes 60 --server prosody
"""
