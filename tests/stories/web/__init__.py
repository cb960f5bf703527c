"""Stories over HTTP: WebSocket and BOSH."""
