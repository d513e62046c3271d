"""Records of CSV bytes: the same as a plain reading of the rules, wherever the bytes are cut."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.records import LONGEST_RECORD, UNCLOSED, Records, find_records

CELLS = st.text(st.sampled_from('ab,"\n\r;路'), max_size=6)


def found(data: bytes, fields: int, **options: bool) -> Records:
    return find_records(data, delimiter=",", fields=fields, limit=1_000, **options)


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=8), st.sampled_from(["\n", "\r\n"])
)
def test_what_a_program_wrote_is_found_again(rows: list[list[str]], ending: str) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(rows)
    data = text.getvalue().encode()
    records = found(data, 2)
    assert records.fields.tolist() == [2] * len(rows)
    assert records.consumed == len(data)
    cut = zip(records.starts.tolist(), records.ends.tolist(), strict=True)
    again = [next(csv.reader(io.StringIO(data[a:b].decode(), newline=""))) for a, b in cut]
    assert again == rows


@given(st.text(st.sampled_from('a,"\n\r'), max_size=40), st.integers(0, 40), st.integers(1, 3))
def test_bytes_read_in_two_goes_give_the_same_records(text: str, cut: int, fields: int) -> None:
    data = text.encode()
    whole = found(data, fields)
    first = found(data[:cut], fields, is_last=False)
    rest = found(data[first.consumed :], fields)
    starts = [*first.starts, *(rest.starts + first.consumed)]
    assert [int(start) for start in starts] == whole.starts.tolist()
    assert [*first.fields, *rest.fields] == whole.fields.tolist()
    assert [*first.lines, *(rest.lines + first.lines_consumed)] == whole.lines.tolist()
    assert first.consumed + rest.consumed == whole.consumed


@pytest.mark.parametrize(
    ("data", "fields", "starts", "counts"),
    [
        (b'5" pipe,x\na,b\n', 2, [0, 10], [2, 2]),  # a quote within a field means nothing
        (b'"a" b,x\n', 2, [0], [2]),
        (b'"a""b\n",x\nc,d', 2, [0, 10], [2, 2]),
        (b"\n\r\na,b\n\n", 2, [3], [2]),
        (b"a\rb\r", 1, [0, 2], [1, 1]),  # lines as old Macintoshes end them
        (b'"open,x\nc,d\n', 2, [0, 8], [UNCLOSED, 2]),
        (b'a,"open\nc,d\ne,"shut"\n', 2, [0, 8, 12], [UNCLOSED, 2, 2]),
        (b'a,b,"1\n2",c\nd,e\n', 2, [0, 12], [4, 2]),  # neither way right: one record
        (b"", 2, [], []),
        (b"\n\n", 2, [], []),
    ],
)
def test_odd_records(data: bytes, fields: int, starts: list[int], counts: list[int]) -> None:
    records = found(data, fields)
    assert (records.starts.tolist(), records.fields.tolist()) == (starts, counts)


def test_a_quote_that_is_never_closed_costs_one_line() -> None:
    data = b'x,"oops\n' + b"1,2\n" * (LONGEST_RECORD // 2)
    records = find_records(data, delimiter=",", fields=2, limit=5)
    assert records.fields.tolist() == [UNCLOSED, 2, 2, 2, 2]
    assert records.lines.tolist() == [0, 1, 2, 3, 4]


def test_no_more_than_the_limit() -> None:
    records = find_records(b"a\nb\nc\n", delimiter=",", fields=1, limit=2)
    assert (len(records), records.consumed, records.lines_consumed) == (2, 4, 2)
