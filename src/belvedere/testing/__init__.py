"""What we ship for the tests of adapters and plugins: virtual time, the link contract, a scripted link."""
