"""Codes looked up in one compiled search are found where a dictionary finds them."""

import numpy as np
import pyarrow as pa

from api.matching.component_codes import _bytes_of, _search


def test_every_code_is_found_and_no_other() -> None:
    rng = np.random.default_rng(1)
    codes = [
        f"1301020{kind}{number:06d}" for kind in ("104", "137", "402") for number in range(400)
    ]
    rng.shuffle(codes)
    codes += ["", "1", "路灯", codes[5]]  # one code twice: the row that holds answers
    held = np.ones(len(codes), dtype=bool)
    held[5] = False
    order = np.array(sorted(range(len(codes)), key=lambda row: (codes[row], row)), dtype=np.int64)
    wanted = [*codes, "1301020104", "1301020999000000", "0", "路", "z"]
    rows = np.empty(len(wanted), dtype=np.intp)
    _search(_bytes_of(pa.array(wanted)), _bytes_of(pa.array(codes)), order, held, rows)
    place = {code: row for row, code in enumerate(codes) if held[row]}
    assert rows.tolist() == [place.get(code, -1) for code in wanted]
