"""A second process that stops the head when the server cannot: its decisions, shared memory, and D-Bus connection.

What runs in that process (`__main__`, `child`, `core`, `bluez`, `memory`) imports only this package of Belvedere, so
that the process stays small. `process` and `options` are the server's side.
"""
