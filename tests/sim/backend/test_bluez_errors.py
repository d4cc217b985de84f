from belvedere.sim.backend.bluez_errors import failed, in_progress


def test_bluez_names_what_it_refuses_by_a_dbus_error() -> None:
    assert str(in_progress()) == "[org.bluez.Error.InProgress] Operation already in progress"
    assert str(failed("Not connected")) == "[org.bluez.Error.Failed] Not connected"
