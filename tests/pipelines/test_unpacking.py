"""Deliveries as folders and as archives are one thing."""

import shutil
import zipfile
from pathlib import Path

import pytest

from gis.builds import live
from gis.database import open_database
from gis.errors import DeliveryError, FileFormatError
from pipelines.build import build_delivery
from pipelines.contents import hash_content
from pipelines.unpacking import opened_delivery
from tests.pipelines.town import roads, write_manifest, write_town, write_vector


def delivered(folder: Path) -> Path:
    (folder / "路").mkdir(parents=True)
    write_vector(roads(), folder / "路/道路.shp", encoding="gb18030")
    write_manifest(folder, [{"dataset": "topography", "path": "路/道路.shp"}])
    return folder


def pack(folder: Path, archive: Path, *, below: str = "") -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                target.write(path, below + path.relative_to(folder).as_posix())
    return archive


def seen(path: Path) -> tuple[str, list[str], str]:
    with opened_delivery(path) as delivery:
        names = [delivery.name_of(file) for layer in delivery.layers for file in layer.files]
        assert all(file.is_file() for layer in delivery.layers for file in layer.files)
        return delivery.name, names, hash_content(delivery, delivery.layers)


def test_a_folder_and_the_archive_of_it_are_one_delivery(tmp_path):
    folder = delivered(tmp_path / "交付")
    expected = seen(folder)
    assert expected[1] == ["路/道路.shp"]
    assert seen(pack(folder, tmp_path / "flat.zip")) == expected
    assert seen(pack(folder, tmp_path / "deep.zip", below="2026/交付/")) == expected


def test_what_was_unpacked_is_gone_afterwards_and_the_archive_is_the_source(tmp_path):
    archive = pack(delivered(tmp_path / "d"), tmp_path / "d.zip")
    with opened_delivery(archive) as delivery:
        root = delivery.root
        assert delivery.source == archive.resolve()
    assert not root.exists()
    with opened_delivery(tmp_path / "d") as delivery:
        assert delivery.source == delivery.root == (tmp_path / "d").resolve()


def test_a_layer_may_lie_in_an_archive_inside_the_folder_or_inside_the_archive(tmp_path):
    inner = delivered(tmp_path / "inner")
    outer = tmp_path / "outer"
    outer.mkdir()
    pack(inner / "路", outer / "东区.zip")
    write_manifest(outer, [{"dataset": "topography", "path": "东区.zip/道路.shp"}])
    expected = seen(outer)
    assert expected[1] == ["东区.zip/道路.shp"]
    assert seen(pack(outer, tmp_path / "outer.zip")) == expected
    for path in ("东区.zip", "*.zip/*.shp"):
        write_manifest(outer, [{"dataset": "topography", "path": path}])
        assert seen(outer)[1] == ["东区.zip/道路.shp"]
    shutil.copytree(inner / "路", outer / "路")
    write_manifest(outer, [{"dataset": "topography", "path": "."}])
    expected = seen(outer)
    assert expected[1] == ["路/道路.shp"]  # an archive is only looked into where it is named
    assert seen(pack(outer, tmp_path / "outer.zip")) == expected


def test_a_manifest_may_lie_beside_the_archive(tmp_path):
    folder = delivered(tmp_path / "d")
    (folder / "delivery.toml").rename(tmp_path / "d.toml")
    archive = pack(folder, tmp_path / "d.zip")
    assert seen(archive)[1] == ["路/道路.shp"]
    (tmp_path / "d.toml").unlink()
    with (
        pytest.raises(
            DeliveryError, match=r"wanmi census manifest .*d\.zip -o .*d\.toml"
        ) as caught,
        opened_delivery(archive),
    ):
        pass
    assert "census manifest" in caught.value.zh


@pytest.mark.parametrize("name", ["nowhere.zip", "nowhere", "a.txt"])
def test_what_is_no_delivery_is_refused(tmp_path, name):
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DeliveryError), opened_delivery(tmp_path / name):
        pass


def test_two_deliveries_in_one_archive_are_told(tmp_path):
    for name in ("a", "b"):
        delivered(tmp_path / "both" / name)
    archive = pack(tmp_path / "both", tmp_path / "both.zip")
    with (
        pytest.raises(DeliveryError, match=r"several deliveries \(a/delivery.toml, b/delivery"),
        opened_delivery(archive),
    ):
        pass


def test_an_archive_that_is_not_there_or_leads_out_is_refused(tmp_path):
    folder = delivered(tmp_path / "d")
    for path in ("东区.zip/a.shp", "../东区.zip/a.shp", "*.zip/a.shp"):
        write_manifest(folder, [{"dataset": "topography", "path": path}])
        with pytest.raises(DeliveryError), opened_delivery(folder):
            pass


def test_a_broken_archive_costs_its_layer_where_layers_may_fail(tmp_path):
    folder = delivered(tmp_path / "d")
    (folder / "东区.zip").write_bytes(b"no archive")
    layers = [
        {"dataset": "topography", "path": "路/道路.shp"},
        {"dataset": "topography", "path": "东区.zip/a.shp"},
    ]
    write_manifest(folder, layers)
    with pytest.raises(FileFormatError, match="no zip archive"), opened_delivery(folder):
        pass
    told: list[tuple[str, str]] = []
    with opened_delivery(folder, refused=lambda name, error: told.append((name, str(error)))) as d:
        assert [layer.path for layer in d.layers] == ["路/道路.shp"]
    assert [name for name, _ in told] == ["东区.zip", "东区.zip/a.shp"]


def test_an_archive_builds_like_its_folder_and_changes_nothing_twice(tmp_path, workspace):
    town = write_town(tmp_path / "town")
    first = build_delivery(pack(town, tmp_path / "town.zip", below="交付/"), workspace=workspace)
    assert {report.status for report in first} == {"built"}
    again = build_delivery(town, workspace=workspace)
    assert {report.status for report in again} == {"unchanged"}
    rows = live(open_database(workspace), "components")
    assert len(rows) > 0
    assert not any("wanmi-delivery" in str(name) for name in rows["source_file"])
