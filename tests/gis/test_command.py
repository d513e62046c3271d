"""How commands end."""

import pytest

from gis.command import make_app, run


@pytest.mark.parametrize(
    ("cause", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "Stopped; nothing was left half done."),
        (ValueError("deep down"), 70, "unexpected fault of Wanmi itself"),
    ],
)
def test_compiled_code_that_ctrl_c_found_at_its_end_is_a_stop_and_no_fault(
    cause: BaseException,
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    app = make_app()

    @app.command()
    def compute() -> None:
        # What Python makes of a compiled function that returns with an exception set.
        raise SystemError("returned a result with an exception set") from cause

    monkeypatch.setattr("sys.argv", ["wanmi", "compute"])
    with pytest.raises(SystemExit) as end:
        run(app)
    assert end.value.code == code
    assert told in capsys.readouterr().err
