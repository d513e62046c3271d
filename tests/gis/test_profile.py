"""The profile that `wanmi init` writes lists every setting, at the default the program has."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from gis.errors import CrsError, SettingsError, WorkspaceError
from gis.profile import make_workspace, profile_text
from gis.settings import Settings
from gis.workspace import (
    City,
    ExtensionClass,
    ExtensionTrade,
    Profile,
    open_workspace,
    parse_profile,
)
from tests.gis.test_migrations import LOCAL_WKT

ADDED = {"extension_class": ExtensionClass, "extension_trade": ExtensionTrade}
"""What a city may add any number of."""


def uncommented(text: str) -> str:
    """The text with the settings that are commented out switched on."""
    return re.sub(r"^# (?=\[\[|\w+ = )", "", text, flags=re.MULTILINE)


def test_the_text_says_the_defaults() -> None:
    city = City(code="130102", name='长"安"区')
    assert parse_profile(profile_text(city)) == Profile(city=city)


def test_every_setting_is_listed_and_explained() -> None:
    text = uncommented(profile_text(City(code="130102")))
    listed = tomllib.loads(text)
    declared = {field.name: field.type for field in msgspec.structs.fields(Profile)}
    assert set(listed) == set(declared)
    for table, kind in declared.items():
        struct = ADDED.get(table, kind)
        found = listed[table][0] if table in ADDED else listed[table]
        fields = msgspec.structs.fields(struct)
        assert set(found) == {field.encode_name for field in fields}, table
    assert len(parse_profile(text).extension_class) == 1
    for line in text.splitlines():
        if " = " in line and not line.startswith(("name", "#", "kind")):
            assert "#" in line, f"not explained: {line}"


def test_a_new_workspace_opens(tmp_path: Path) -> None:
    folder = tmp_path / "长安 区"
    make_workspace(folder, city={"code": "130102", "name": "长安区"})
    city = open_workspace(folder, settings=Settings()).profile.city
    assert (city.code, city.name, city.crs) == ("130102", "长安区", "EPSG:4547")


def test_a_local_crs_file_is_copied_in(tmp_path: Path) -> None:
    (tmp_path / "local.wkt").write_text(LOCAL_WKT)
    folder = tmp_path / "city"
    make_workspace(folder, city={"code": "130102", "crs": str(tmp_path / "local.wkt")})
    assert (folder / "local.wkt").read_text() == LOCAL_WKT
    assert open_workspace(folder, settings=Settings()).profile.city.crs == "local.wkt"


@pytest.mark.parametrize(
    ("city", "error", "told"),
    [
        ({"code": "13"}, SettingsError, "code"),
        ({"code": "130102", "standard": "GB/T 1"}, SettingsError, "standard"),
        ({"code": "130102", "crs": "EPSG:4490"}, CrsError, "not projected in metres"),
        ({"code": "130102", "crs": "none.wkt"}, CrsError, r"none\.wkt can not be read"),
    ],
)
def test_a_wrong_value_leaves_nothing(
    tmp_path: Path, city: dict[str, str], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        make_workspace(tmp_path / "city", city=city)
    assert not (tmp_path / "city").exists()


def test_a_workspace_is_not_overwritten(tmp_path: Path) -> None:
    path = make_workspace(tmp_path, city={"code": "130102"})
    path.write_text("mine")
    with pytest.raises(WorkspaceError, match="is a workspace already"):
        make_workspace(tmp_path, city={"code": "130103"})
    assert path.read_text() == "mine"
    with pytest.raises(WorkspaceError, match="can not be written"):
        make_workspace(path / "below", city={"code": "130102"})


def test_a_profile_saved_by_an_editor_of_windows_opens_or_says_what_to_do(tmp_path: Path) -> None:
    path = make_workspace(tmp_path, city={"code": "130102", "name": "长安区"})
    text = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8-sig")
    assert open_workspace(tmp_path, settings=Settings()).profile.city.name == "长安区"
    path.write_text(text, encoding="gb18030")
    with pytest.raises(
        SettingsError, match=r"wanmi\.toml is not UTF-8 \(byte \d+\): save it again"
    ):
        open_workspace(tmp_path, settings=Settings())
