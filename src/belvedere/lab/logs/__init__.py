"""Reading a phone's Bluetooth log: from any file that holds HCI to what was written to which attribute of whom."""
