from datetime import date
from pathlib import Path

import pytest

from gis.errors import DeliveryError, FileFormatError
from pipelines.contents import files_of, hash_content
from pipelines.manifest import read_manifest
from tests.pipelines.town import CRS, roads, write_manifest, write_vector


def folder_with(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a,b\n1,2\n", encoding="utf-8")
    return root


def layer(path="a.csv", **keys):
    return {"dataset": "units", "path": path} | keys


def test_a_manifest_says_what_each_file_is(tmp_path):
    folder_with(tmp_path, "表/地址.csv")
    write_manifest(
        tmp_path,
        [
            {
                "dataset": "addresses",
                "path": "表/地址.csv",
                "x_field": "X",
                "y_field": "Y",
                "crs": CRS,
                "mode": "update",
                "fields": {"name": "全称"},
            }
        ],
    )
    delivery = read_manifest(tmp_path)
    assert (delivery.name, delivery.as_of) == ("town", date(2026, 5, 31))
    (only,) = delivery.layers
    assert (only.dataset, only.mode, only.fields) == ("addresses", "update", {"name": "全称"})
    assert (only.x_field, only.y_field, only.crs, only.encoding) == ("X", "Y", CRS, None)
    assert [delivery.name_of(path) for path in only.files] == ["表/地址.csv"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[delivery]\nname = 1", "has no name"),
        ("[delivery", "is not valid TOML"),
        ('[delivery]\nname = "x"\nas_of = 2026-05-31\n', "is empty: delivery.toml names no"),
        ('[delivery]\nname = "x"\nas_of = "soon"\n', "as_of is 'soon': give the day"),
        ("[delivery]\nas_of = 2026-05-31\n", "has no name"),
        ('[[layer]]\ndataset = "units"\npath = "a.csv"\n', r"has no \[delivery\] table"),
        ('[delivery]\nnmae = "x"\n', "Unknown key 'nmae' in \\[delivery\\]: did you mean 'name'"),
        (
            '[delivry]\nname = "x"\n',
            "Unknown key 'delivry' in delivery.toml: did you mean 'delivery'",
        ),
    ],
)
def test_a_wrong_manifest_is_refused_with_what_to_write(tmp_path, text, sentence):
    (tmp_path / "delivery.toml").write_text(text, encoding="utf-8")
    with pytest.raises(DeliveryError, match=sentence) as caught:
        read_manifest(tmp_path)
    assert caught.value.zh != caught.value.message


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (layer(clas_code="0104"), "Unknown key 'clas_code' in .* did you mean 'class_code'"),
        (layer(dataset="componets"), "dataset 'componets' is not known: did you mean 'components'"),
        (layer(mode="append"), "mode 'append' is not known"),
        (layer(x_field="X"), "names only one of x_field and y_field"),
        (layer(crs=4547), "crs is 4547; write it as text"),
        (
            layer(options={"dem": "d.tif"}),
            "Unknown key 'dem' in the options of .* takes no options",
        ),
        ({"dataset": "units"}, "has no path"),
        (layer("b.csv"), r"names b.csv, which is not in the delivery; did you mean a.csv\?"),
        (layer("*.xlsx"), r"\*.xlsx stands for no file that is read"),
        (layer("../a.csv"), "leads out of the delivery's folder"),
        (layer("/etc/hosts"), "leads out of the delivery's folder"),
        (layer("C:\\a.csv"), "leads out of the delivery's folder"),
        (layer("x/../../a.csv"), "leads out of the delivery's folder"),
        (layer("../*.csv"), "leads out of the delivery's folder"),
    ],
)
def test_a_wrong_layer_is_refused_with_what_to_write(tmp_path, entry, sentence):
    folder_with(tmp_path / "d", "a.csv")
    folder_with(tmp_path, "a.csv")
    write_manifest(tmp_path / "d", [entry])
    with pytest.raises(DeliveryError, match=sentence) as caught:
        read_manifest(tmp_path / "d")
    assert caught.value.zh != caught.value.message


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    folder_with(tmp_path, "secret.csv")
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a.csv").symlink_to(tmp_path / "secret.csv")
    for path in ("a.csv", "*.csv"):
        write_manifest(folder, [layer(path)])
        with pytest.raises(DeliveryError, match="leads out of the delivery's folder"):
            read_manifest(folder)


def test_no_manifest_and_a_manifest_in_gbk_are_told_apart(tmp_path):
    with pytest.raises(DeliveryError, match=r"is no delivery: it has no delivery\.toml"):
        read_manifest(tmp_path)
    with pytest.raises(DeliveryError, match=r"There is no .*absent: correct the path"):
        read_manifest(tmp_path / "absent")
    (tmp_path / "delivery.toml").write_bytes('[delivery]\nname = "普查"'.encode("gbk"))
    with pytest.raises(DeliveryError, match="is not UTF-8"):
        read_manifest(tmp_path)


def test_a_folder_and_a_pattern_stand_for_their_files_in_order(tmp_path):
    folder_with(tmp_path, "t/b.csv", "t/a.csv", "t/deep/c.csv", "t/notes.doc")
    write_manifest(tmp_path, [layer("t"), layer("t/*.csv"), layer("**/c.csv")])
    delivery = read_manifest(tmp_path)
    names = [[delivery.name_of(path) for path in one.files] for one in delivery.layers]
    assert names == [
        ["t/a.csv", "t/b.csv", "t/deep/c.csv"],
        ["t/a.csv", "t/b.csv"],
        ["t/deep/c.csv"],
    ]


def content(folder: Path) -> str:
    delivery = read_manifest(folder)
    return hash_content(delivery, delivery.layers)


def test_the_hash_is_of_the_content_and_not_of_the_place(tmp_path):
    for name in ("one", "two"):
        folder_with(tmp_path / name, "a.csv", "b.csv")
    write_manifest(tmp_path / "one", [layer("a.csv"), layer("b.csv")])
    write_manifest(tmp_path / "two", [layer("b.csv"), layer("a.csv")])
    before = content(tmp_path / "one")
    assert before == content(tmp_path / "two")
    (tmp_path / "two" / "a.csv").write_text("a,b\n1,3\n", encoding="utf-8")
    assert content(tmp_path / "two") != before
    write_manifest(tmp_path / "one", [layer("a.csv"), layer("b.csv", sheet="x")])
    assert content(tmp_path / "one") != before
    write_manifest(tmp_path / "one", [layer("a.csv"), layer("b.csv")], as_of=date(2026, 6, 1))
    assert content(tmp_path / "one") != before


def test_the_parts_of_a_shapefile_belong_to_its_content(tmp_path):
    write_vector(roads(), tmp_path / "roads.shp", encoding="gb18030")
    (tmp_path / "roads.shp.xml").write_text("<metadata/>", encoding="utf-8")
    write_manifest(tmp_path, [{"dataset": "topography", "path": "roads.shp"}])
    delivery = read_manifest(tmp_path)
    parts = [path.name for path in files_of(delivery, delivery.layers[0])]
    assert parts == ["roads.dbf", "roads.prj", "roads.shp", "roads.shx"]
    before = content(tmp_path)
    (tmp_path / "roads.cpg").write_text("GBK", encoding="ascii")
    assert content(tmp_path) != before


def test_the_files_that_an_option_names_must_be_there(tmp_path):
    folder_with(tmp_path, "raw.tif", "dem.tif")
    image = {"dataset": "imagery", "path": "raw.tif", "options": {"dem": "dem.tif"}}
    write_manifest(tmp_path, [image])
    delivery = read_manifest(tmp_path)
    assert [path.name for path in files_of(delivery, delivery.layers[0])] == ["dem.tif", "raw.tif"]
    write_manifest(tmp_path, [image | {"options": {"dem": "dom.tif"}}])
    with pytest.raises(FileFormatError, match=r"names dom.tif, .* did you mean dem.tif\?"):
        content(tmp_path)
