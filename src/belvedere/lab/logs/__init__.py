"""Reads Bluetooth logs: from a file of HCI packets to the values written to each attribute of each device."""
