"""One driver for each client, all with the same verbs."""
