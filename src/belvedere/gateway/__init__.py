"""HTTP, WebSocket, wire messages and the page's files. Translates between them and the engine, and decides nothing."""
