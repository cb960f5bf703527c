"""What an invalidation costs on its way to a cluster's caches, beside Redis pub/sub and PostgreSQL NOTIFY."""
