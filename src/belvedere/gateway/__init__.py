"""The door to the house: HTTP, WebSocket, wire messages and the page's files. It translates; it decides nothing."""
