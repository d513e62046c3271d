import re
from pathlib import Path

import pytest

from gis.errors import ClusterError
from gis.postgres import apt_command, find_binaries, install_command, usual_places


def test_the_installation_found_has_postgis() -> None:
    found = find_binaries()
    assert found.version >= 14
    assert found.postgis is not None
    assert found.postgis >= (3, 3)
    assert Path(found.program("initdb")).is_file()


def test_none_installed_is_one_sentence_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(ClusterError) as caught:
        find_binaries(places=[tmp_path])
    assert re.fullmatch(
        r"PostgreSQL with PostGIS is not installed: run `[^`]*(apt-get|conda|brew) install [^`]*`.*"
        r"or name a database by WANMI_DATABASE_URL\.",
        caught.value.message,
    )


def test_postgis_missing_names_the_package_of_that_version(tmp_path: Path) -> None:
    real = find_binaries()
    for name in ("postgres", "initdb"):
        (tmp_path / name).symlink_to(real.program(name))
    with pytest.raises(ClusterError) as caught:
        find_binaries(places=[tmp_path])
    assert f"PostGIS is not installed for PostgreSQL {real.version}: run `" in caught.value.message
    assert install_command(real.version) in caught.value.message


def test_a_version_that_is_not_here(tmp_path: Path) -> None:
    real = find_binaries()
    with pytest.raises(
        ClusterError, match=rf"made by PostgreSQL 9, installed here: .*{real.version}"
    ):
        find_binaries(version=9)


def test_a_folder_without_the_programs_is_passed_over(tmp_path: Path) -> None:
    assert find_binaries(places=[tmp_path, *usual_places()]) == find_binaries()


@pytest.mark.parametrize(
    ("release", "package"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "postgresql-15-postgis-3"),
        ('ID=ubuntu\nVERSION_ID="24.04"\n', "postgresql-16-postgis-3"),
        ('ID=ubuntu\nVERSION_ID="22.04"\n', "postgresql-14-postgis-3"),
        ("", "postgresql-postgis"),
    ],
)
def test_the_package_of_each_distribution(release: str, package: str) -> None:
    assert apt_command(release) == f"sudo apt-get install {package}"
