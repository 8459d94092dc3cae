"""How bytes move: TLS, WebSocket, certificates."""
