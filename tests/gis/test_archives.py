"""Zip archives: names in every encoding, and everything that an archive may do harm with."""

import io
import stat
import struct
import zipfile
import zlib

import pytest

from gis.archives import Budget, Limits, unpack_zip
from gis.errors import FileFormatError


def packed(path, members, *, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def renamed(path, name, raw):
    """Write the bytes `raw` in place of a name of as many ASCII letters, without the UTF-8 flag."""
    assert len(name) == len(raw)
    path.write_bytes(path.read_bytes().replace(name.encode(), raw))
    return path


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def refused(archive, tmp_path, sentence, *, limits=None):
    budget = Budget.fresh(limits)
    with pytest.raises(FileFormatError, match=sentence) as caught:
        unpack_zip(archive, tmp_path / "out", budget=budget)
    assert caught.value.zh != caught.value.message
    assert not (tmp_path / "escaped.txt").exists()


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "big5"])
def test_names_without_the_flag_are_decoded_by_evidence(tmp_path, encoding):
    name = "部件普查/道路管理.csv"
    raw = name.encode(encoding)
    path = packed(tmp_path / "a.zip", {"n" * len(raw): "code\n1\n"})
    renamed(path, "n" * len(raw), raw)
    unpack_zip(path, tmp_path / "out")
    assert tree(tmp_path / "out") == {name: b"code\n1\n"}


def test_flagged_names_and_names_of_a_mac_are_themselves(tmp_path):
    members = {"普查/雨水箅子.csv": "1", "__MACOSX/._x": "junk", "普查/.DS_Store": "junk"}
    unpack_zip(packed(tmp_path / "a.zip", members), tmp_path / "out")
    assert tree(tmp_path / "out") == {"普查/雨水箅子.csv": b"1"}


def test_the_unicode_path_field_wins_over_the_name(tmp_path):
    info = zipfile.ZipInfo("yushui.csv")
    name = "雨水箅子.csv".encode()
    body = struct.pack("<BI", 1, zlib.crc32(b"yushui.csv")) + name
    info.extra = struct.pack("<HH", 0x7075, len(body)) + body
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "1")
    unpack_zip(path, tmp_path / "out")
    assert list(tree(tmp_path / "out")) == ["雨水箅子.csv"]


def test_backslashes_part_folders(tmp_path):
    path = packed(tmp_path / "a.zip", {"east/a.csv": "1"})
    renamed(path, "east/a.csv", rb"east\a.csv")
    unpack_zip(path, tmp_path / "out")
    assert tree(tmp_path / "out") == {"east/a.csv": b"1"}


@pytest.mark.parametrize(
    "name", ["../escaped.txt", "a/../../escaped.txt", "/escaped.txt", "C:/escaped.txt"]
)
def test_a_name_that_leads_out_is_refused(tmp_path, name):
    refused(packed(tmp_path / "a.zip", {name: "x"}), tmp_path, "leads out of the folder")


def test_a_name_that_leads_out_by_backslashes_is_refused(tmp_path):
    path = packed(tmp_path / "a.zip", {"../escaped.txt": "x"})
    renamed(path, "../escaped.txt", rb"..\escaped.txt")
    refused(path, tmp_path, "leads out of the folder")


def test_a_link_is_refused(tmp_path):
    info = zipfile.ZipInfo("a.csv")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/hosts")
    refused(path, tmp_path, "a.csv is a link")


def test_a_password_is_told(tmp_path):
    path = packed(tmp_path / "a.zip", {"a.csv": "x"})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + offset] |= 1
    path.write_bytes(data)
    refused(path, tmp_path, "has a password")


def test_a_bomb_is_told_by_its_growth(tmp_path):
    path = packed(tmp_path / "a.zip", {"a.dbf": b" " * 4_000_000})
    limits = Limits(free_bytes=1_000_000)
    refused(path, tmp_path, "times its size, which no survey does", limits=limits)
    unpack_zip(path, tmp_path / "fine")  # below the size from which growth is looked at


def test_a_bomb_of_archives_is_told_by_all_that_it_unpacks_to(tmp_path):
    inner = packed(tmp_path / "i.zip", {"a.dbf": b"\x01\x02" * 300_000}).read_bytes()
    path = packed(tmp_path / "a.zip", {f"{n}.zip": inner for n in range(4)})
    limits = Limits(total_bytes=1 << 21, ratio=10**9)
    refused(path, tmp_path, "unpacks to more than", limits=limits)


def test_archives_inside_are_folders_of_their_name_to_a_depth(tmp_path):
    data: bytes | str = "1"
    name = "a.csv"
    for number in (3, 2, 1):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, data)
        name, data = f"{number}.zip", buffer.getvalue()
    path = tmp_path / name
    path.write_bytes(data)  # 1.zip > 2.zip > 3.zip > a.csv
    unpack_zip(path, tmp_path / "out")
    assert tree(tmp_path / "out") == {"2.zip/3.zip/a.csv": b"1"}
    refused(path, tmp_path / "again", "lies in 2 other archives", limits=Limits(depth=2))


def test_a_member_that_lies_about_its_length_is_refused(tmp_path):
    path = packed(tmp_path / "a.zip", {"a.csv": b"x" * 1000}, compression=zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    central = data.find(b"PK\x01\x02")
    data[central + 24 : central + 28] = struct.pack("<I", 10)
    path.write_bytes(data)
    refused(path, tmp_path, "is not unpacked")


def test_two_members_of_one_name_are_refused(tmp_path):
    path = packed(tmp_path / "a.zip", {"a.csv": "1", "b.csv": "2"})
    renamed(path, "b.csv", b"a.csv")
    refused(path, tmp_path, "twice")


@pytest.mark.parametrize("cut", [0, 3, 30, 100])
def test_what_is_no_archive_is_refused(tmp_path, cut):
    path = packed(tmp_path / "a.zip", {"a.csv": "1" * 100})
    path.write_bytes(path.read_bytes()[:cut])
    refused(path, tmp_path, "damaged or no zip archive")


def test_an_archive_with_a_folder_alone_is_told_to_be_empty(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("folder")
    refused(path, tmp_path, "holds no file")


def test_any_byte_of_an_archive_may_be_wrong(tmp_path):
    plain = packed(tmp_path / "a.zip", {"普查/a.csv": "1" * 50, "b.zip": "no archive"}).read_bytes()
    for place in range(len(plain)):
        for value in (0x00, 0xFF):
            data = bytearray(plain)
            data[place] = value
            path = tmp_path / "b.zip"
            path.write_bytes(data)
            try:
                unpack_zip(path, tmp_path / f"out{place}-{value}")
            except FileFormatError:
                continue
            found = tree(tmp_path / f"out{place}-{value}")
            assert b"1" * 50 in found.values()
