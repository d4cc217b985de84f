"""Test doubles for adapters and plugins: virtual time, the link contract, a scripted link."""
