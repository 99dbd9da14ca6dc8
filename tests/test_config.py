"""tekil.toml: what it says, who may overrule it, and what is told to a person who wrote it wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tekil import config
from tekil.errors import Misconfigured


def test_a_new_installation_has_what_init_was_told_and_finds_its_file_from_below(tmp_path: Path) -> None:
    config.write_template(tmp_path, name='Minder "Evi"', collect_port=18000, console_port=18001)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    settings = config.load(below)
    assert settings.workspace.name == "Minder 'Evi'"
    assert (settings.collect.port, settings.console.port) == (18000, 18001)
    assert settings.root == tmp_path
    assert settings.data == tmp_path / "data"


def test_the_template_says_what_the_defaults_are(tmp_path: Path) -> None:
    config.write_template(tmp_path, name="Tekil")
    written = config.load(tmp_path)
    (tmp_path / "tekil.toml").write_text("")
    assert config.load(tmp_path) == written


def test_places_are_files_beside_tekil_toml_unless_they_say_otherwise(tmp_path: Path) -> None:
    config.write_template(tmp_path, name="x")
    settings = config.load(tmp_path)
    assert settings.resolve(settings.log) == f"sqlite:///{tmp_path}/data/log.db"
    for url in ("sqlite:////var/lib/log.db", "postgresql://u:p@host/db", "postgresql:///db"):
        assert settings.resolve(config.Place(url)) == url


def test_a_url_with_a_password_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_template(tmp_path, name="x")
    monkeypatch.setenv("TEKIL_STORE_URL", "postgresql://u:secret@host/db")
    settings = config.load(tmp_path)
    assert settings.store.url == "postgresql://u:secret@host/db"
    assert settings.log.url == "sqlite:///data/log.db"


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    path = config.write_template(tmp_path, name="mine")
    before = path.read_bytes()
    with pytest.raises(Misconfigured, match="left as it is"):
        config.write_template(tmp_path, name="other")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[collect]\nport = 'x'", "collect.port"),
        ("[collect]\npublic_url = 'events.example.com'", "https://events.example.com"),
        ("[collect]\npublic_url = 'https://events.example.com/v1'", "collect.public_url"),
        ("[console]\npublic_url = 'tekil.example.com'", "console.public_url"),
        ("[colect]\nport = 1", "colect"),
        ("[workspace", "cannot be read"),
        ("[workspace]\ntimezone = 'Europe/Izmir'", "Europe/Izmir"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "tekil.toml").write_text(text)
    with pytest.raises(Misconfigured, match=told) as caught:
        config.load(tmp_path)
    assert caught.value.code == "config_invalid"


def test_without_a_file_the_way_to_make_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="tekil init") as caught:
        config.load(tmp_path)
    assert caught.value.code == "config_missing"
