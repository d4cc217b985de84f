from pathlib import Path

from tests.support.settings_text import settings_text

from belvedere.app.secret_files import SecretFiles
from belvedere.app.settings import DEMO, NoHeadSettings, PatternCameraSettings, Settings, parse_settings


def parsed(text: str) -> Settings:
    return parse_settings(text, "it.toml", SecretFiles(Path(), None))


def test_by_default_they_name_the_demos_parts() -> None:
    settings = parsed(settings_text())
    assert (settings.head, settings.camera, settings.store) == (DEMO.head, DEMO.camera, DEMO.store)
    assert (settings.server.port, settings.control.lease_grace_s) == (0, 0)


def test_a_table_has_the_lines_that_are_given() -> None:
    settings = parsed(settings_text(head='kind = "none"', camera='kind = "pattern"', stage="width = 640"))
    assert (settings.head, settings.camera) == (NoHeadSettings(), PatternCameraSettings())
    assert settings.stage.width == 640
