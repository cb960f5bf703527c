"""Many clients talk through a bad network to a server that is killed; at the end everything must be there, once."""
