"""A second process that stops the head when the server cannot: its decisions, its memory, its way to BlueZ.

What runs in that process (`__main__`, `child`, `core`, `bluez`, `memory`) imports nothing of Belvedere but this
package, so that it stays small. `process` and `options` are the server's side of it.
"""
