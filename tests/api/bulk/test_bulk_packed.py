"""Cases packed by gzip: read and written as the plain text would be, resumed, refused when damaged."""

import gzip
import zlib
from pathlib import Path

import pandas as pd
import pytest

from api.bulk.run import work_through
from gis.errors import RequestError
from tests.api.bulk.test_bulk_stops import SMALL, Stopping, stop_midway
from tests.api.bulk_workspace import numbered

TEXT = "case_id,案件描述\n" + "".join(f'{number},"两\n行 {number}"\n' for number in range(25))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_packed_text_gives_the_rows_of_plain_text(tmp_path: Path, encoding: str) -> None:
    content = TEXT.encode(encoding)
    plain, packed = tmp_path / "in.csv", tmp_path / "IN.CSV.GZ"
    plain.write_bytes(content)
    # Programs that pack side by side write several members.
    packed.write_bytes(gzip.compress(content[:99]) + gzip.compress(content[99:]))
    for source, target in ((plain, "a.csv"), (packed, "b.csv"), (packed, "c.csv.gz")):
        done = work_through(source, tmp_path / target, work=numbered, signature="v1", plan=SMALL)
        assert done.rows == 25
    whole = (tmp_path / "a.csv").read_bytes()
    assert (tmp_path / "b.csv").read_bytes() == whole
    assert gzip.decompress((tmp_path / "c.csv.gz").read_bytes()) == whole
    found = pd.read_csv(tmp_path / "c.csv.gz")
    assert found["twice"].tolist() == [2 * number for number in range(25)]
    assert found["案件描述"].tolist()[24] == "两\n行 24"


def test_a_stopped_run_over_packed_text_goes_on_and_gives_the_same_bytes(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv.gz", tmp_path / "out.csv.gz"
    source.write_bytes(gzip.compress(TEXT.encode()))
    stop_midway(source, target)
    assert not target.exists()
    again = Stopping(KeyboardInterrupt(), after=9)
    done = work_through(source, target, work=again, signature="v1", plan=SMALL)
    assert (done.rows, done.rows_resumed, again.seen) == (25, 20, [5])
    never_stopped = tmp_path / "other.csv.gz"
    work_through(source, never_stopped, work=numbered, signature="v1", plan=SMALL)
    assert target.read_bytes() == never_stopped.read_bytes()
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["in.csv.gz", "other.csv.gz", "out.csv.gz"]


def test_another_content_is_unpacked_anew(tmp_path: Path) -> None:
    source, target = tmp_path / "in.csv.gz", tmp_path / "out.csv"
    source.write_bytes(gzip.compress(TEXT.encode()))
    stop_midway(source, target)
    source.write_bytes(gzip.compress(b"case_id\n7\n"))
    done = work_through(source, target, work=numbered, signature="v1", plan=SMALL)
    assert (done.rows, done.rows_resumed) == (1, 0)
    assert pd.read_csv(target)["twice"].tolist() == [14]


def packed_wrongly(kind: str) -> bytes:
    whole = gzip.compress(TEXT.encode() * 50)
    return {
        "plain": TEXT.encode(),
        "short": whole[: len(whole) // 2],
        "flipped": whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:],
        "zlib": zlib.compress(TEXT.encode()),
        "nothing": gzip.compress(b""),
    }[kind]


@pytest.mark.parametrize("kind", ["plain", "short", "flipped", "zlib", "nothing"])
def test_what_can_not_be_unpacked_is_told_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "in.csv.gz"
    source.write_bytes(packed_wrongly(kind))
    with pytest.raises(RequestError, match=r"in\.csv"):
        work_through(source, tmp_path / "out.csv", work=numbered, signature="v1")
    assert not (tmp_path / "out.csv").exists()
