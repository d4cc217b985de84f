from belvedere.head.axes import Axis
from belvedere.head.profile import shipped_profile
from belvedere.lab.profiles import UnitMatch, find_matches, shipped_profiles

PROFILE = shipped_profile("zeapon-pons-pt")


def test_a_device_fits_the_unit_whose_name_it_bears_and_counts_once_however_often_the_profile_is_given() -> None:
    assert find_matches([PROFILE, PROFILE], "C0:DE:00:00:00:01", "pons-pan-77", []) == (
        UnitMatch("ZEAPON PONS PT", Axis.PAN),
    )
    assert find_matches([PROFILE], "C0:DE:00:00:00:01", "Toothbrush", []) == ()


def test_every_shipped_profile_is_among_the_shipped() -> None:
    assert PROFILE in shipped_profiles()
