"""Reaching a unit: finding it, writing to it at its own pace, and noticing when it is gone.

`supervisor` is the way in. `port` is the seam to the adapters `ble`, `simulated` and `disabled`.
"""
