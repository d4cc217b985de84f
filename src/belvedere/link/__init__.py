"""Links to units: discovery, connection, paced writes, and detection of a lost link.

Start reading at `supervisor`. `port` is the interface that the adapters `ble`, `simulated` and `disabled` implement.
"""
