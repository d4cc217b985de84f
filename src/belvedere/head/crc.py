"""The cyclic redundancy checks in common use: polynomials with the initial and final values that have names."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple


class Polynomial(NamedTuple):
    """The divisor, and whether bits are processed with the lowest first (reflected)."""

    bits: int
    value: int
    is_reflected: bool


class NamedCrc(NamedTuple):
    """A CRC as the catalogue of parametrised CRC algorithms (reveng.sourceforge.io) names it.

    `start` is the register's initial value; the remainder is XORed with `end`.
    """

    name: str
    polynomial: Polynomial
    start: int
    end: int


CRCS = (
    NamedCrc("CRC-8", Polynomial(8, 0x07, is_reflected=False), 0x00, 0x00),
    NamedCrc("CRC-8/ROHC", Polynomial(8, 0x07, is_reflected=True), 0xFF, 0x00),
    NamedCrc("CRC-8/I-432-1", Polynomial(8, 0x07, is_reflected=False), 0x00, 0x55),
    NamedCrc("CRC-8/MAXIM", Polynomial(8, 0x31, is_reflected=True), 0x00, 0x00),
    NamedCrc("CRC-8/NRSC-5", Polynomial(8, 0x31, is_reflected=False), 0xFF, 0x00),
    NamedCrc("CRC-8/SAE-J1850", Polynomial(8, 0x1D, is_reflected=False), 0xFF, 0xFF),
    NamedCrc("CRC-8/AUTOSAR", Polynomial(8, 0x2F, is_reflected=False), 0xFF, 0xFF),
    NamedCrc("CRC-8/DVB-S2", Polynomial(8, 0xD5, is_reflected=False), 0x00, 0x00),
    NamedCrc("CRC-8/CDMA2000", Polynomial(8, 0x9B, is_reflected=False), 0xFF, 0x00),
    NamedCrc("CRC-8/WCDMA", Polynomial(8, 0x9B, is_reflected=True), 0x00, 0x00),
    NamedCrc("CRC-8/DARC", Polynomial(8, 0x39, is_reflected=True), 0x00, 0x00),
    NamedCrc("CRC-16/MODBUS", Polynomial(16, 0x8005, is_reflected=True), 0xFFFF, 0x0000),
    NamedCrc("CRC-16/ARC", Polynomial(16, 0x8005, is_reflected=True), 0x0000, 0x0000),
    NamedCrc("CRC-16/USB", Polynomial(16, 0x8005, is_reflected=True), 0xFFFF, 0xFFFF),
    NamedCrc("CRC-16/UMTS", Polynomial(16, 0x8005, is_reflected=False), 0x0000, 0x0000),
    NamedCrc("CRC-16/CCITT-FALSE", Polynomial(16, 0x1021, is_reflected=False), 0xFFFF, 0x0000),
    NamedCrc("CRC-16/XMODEM", Polynomial(16, 0x1021, is_reflected=False), 0x0000, 0x0000),
    NamedCrc("CRC-16/GENIBUS", Polynomial(16, 0x1021, is_reflected=False), 0xFFFF, 0xFFFF),
    NamedCrc("CRC-16/KERMIT", Polynomial(16, 0x1021, is_reflected=True), 0x0000, 0x0000),
    NamedCrc("CRC-16/X-25", Polynomial(16, 0x1021, is_reflected=True), 0xFFFF, 0xFFFF),
    NamedCrc("CRC-16/MCRF4XX", Polynomial(16, 0x1021, is_reflected=True), 0xFFFF, 0x0000),
    NamedCrc("CRC-16/DNP", Polynomial(16, 0x3D65, is_reflected=True), 0x0000, 0xFFFF),
)


def remainder(polynomial: Polynomial, start: int, data: bytes) -> int:
    """The register after these bytes, before the final XOR."""
    table, rest = _table(polynomial), start
    mask, shift = (1 << polynomial.bits) - 1, polynomial.bits - 8
    for byte in data:
        if polynomial.is_reflected:
            rest = rest >> 8 ^ table[(rest ^ byte) & 0xFF]
        else:
            rest = rest << 8 & mask ^ table[(rest >> shift ^ byte) & 0xFF]
    return rest


def checked(crc: NamedCrc, data: bytes) -> int:
    """The CRC of these bytes."""
    return remainder(crc.polynomial, crc.start, data) ^ crc.end


@cache
def _table(polynomial: Polynomial) -> tuple[int, ...]:
    return tuple(_entry(polynomial, byte) for byte in range(256))


def _entry(polynomial: Polynomial, byte: int) -> int:
    """The remainder of one byte alone; with these for all 256 bytes, a message is divided bytewise, not bitwise."""
    bits, value, is_reflected = polynomial
    mask, top = (1 << bits) - 1, 1 << bits - 1
    if is_reflected:
        mirrored = int(format(value, f"0{bits}b")[::-1], 2)
        for _ in range(8):
            byte = byte >> 1 ^ (mirrored if byte & 1 else 0)
        return byte
    rest = byte << bits - 8
    for _ in range(8):
        rest = rest << 1 & mask ^ (value if rest & top else 0)
    return rest
