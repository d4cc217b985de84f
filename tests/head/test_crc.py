import pytest

from belvedere.head.crc import CRCS, checked

CHECKS = {  # of the digits 1 to 9, from the catalogue of parametrised CRC algorithms
    "CRC-8": 0xF4,
    "CRC-8/MAXIM": 0xA1,
    "CRC-8/I-432-1": 0xA1,
    "CRC-8/ROHC": 0xD0,
    "CRC-16/MODBUS": 0x4B37,
    "CRC-16/ARC": 0xBB3D,
    "CRC-16/CCITT-FALSE": 0x29B1,
    "CRC-16/XMODEM": 0x31C3,
    "CRC-16/KERMIT": 0x2189,
    "CRC-16/X-25": 0x906E,
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_check_of_the_digits_is_that_of_the_catalogue(name: str) -> None:
    crc = next(one for one in CRCS if one.name == name)
    assert checked(crc, b"123456789") == CHECKS[name]
