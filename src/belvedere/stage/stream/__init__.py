"""The way through HTTP alone: the encoded frames over a WebSocket, for pages that decode them with WebCodecs."""
