"""One HTTP listener: BOSH, WebSocket, host-meta, metrics, pages, and the routes of modules."""
