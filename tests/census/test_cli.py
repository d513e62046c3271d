import json

import pytest
from typer.testing import CliRunner

import wanmi
from gis.errors import CodeError, NotFoundError, WorkspaceError

OLD, NEW = "CJ/T 214-2007", "GB/T 47678.5-2026"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANMI_WORKSPACE", raising=False)

    def call(*words, **more):
        return CliRunner().invoke(wanmi.app, [*words], **more)

    return call


def test_show_says_what_is_known_and_how_surely(run):
    result = run("codes", "show", "104")
    assert result.exit_code == 0
    assert "0104  雨水箅子  (GB/T 30428.2-2013, component)" in result.stdout
    assert "evidence     found" in result.stdout
    assert "accuracy     A: 0.5 m (default)" in result.stdout


def test_show_finds_by_name_and_prints_json(run):
    result = run("codes", "show", "雨水箅子", "--standard", NEW, "--json")
    assert json.loads(result.stdout) | {"code": "01004", "accuracy_m": 0.5} == json.loads(
        result.stdout
    )


def test_an_event_has_neither_accuracy_nor_geometry(run):
    result = run("codes", "show", "0112", "--kind", "event")
    assert "道路不洁" in result.stdout
    assert "accuracy" not in result.stdout


def test_list_has_the_classes_of_a_major_class(run):
    result = run("codes", "list", "10", "-k", "event", "-s", NEW, "--json")
    assert [row["code"] for row in json.loads(result.stdout)] == ["10001", "10002"]
    assert (
        "10001  道路积雪、结冰  found"
        in run("codes", "list", "10", "-k", "event", "-s", NEW).stdout
    )


def test_doubtful_rows_say_so(run):
    assert "0159  旧衣物回收箱  derived, doubtful" in run("codes", "list", "01").stdout


def test_the_workspace_says_which_standard_and_extensions(run, tmp_path):
    (tmp_path / "wanmi.toml").write_text(
        f'[city]\ncode = "130102"\nstandard = "{NEW}"\n'
        '[[extension_class]]\nkind = "component"\ncode = "01078"\nname = "爱心驿站"\n',
        encoding="utf-8",
    )
    result = run("codes", "list", "01")
    assert "01001  供水井盖  found" in result.stdout
    assert "01078  爱心驿站  city  (extensions of class 01 start at 80 and above)" in result.stdout
    assert "上水井盖" in run("codes", "list", "01", "--standard", OLD).stdout


def test_migrate_lists_what_a_person_has_to_decide(run):
    result = run("codes", "migrate", "0101", "0117", "--from", OLD, "--to", NEW)
    assert result.stdout.splitlines() == [
        "0101  01001  renamed  01001",
        "0117  -  split  01030|01031|01032|01033|01034",
    ]
    assert "1 of 2 need a person to decide" in result.stderr


def test_migrate_moves_component_codes_from_standard_input(run):
    result = run(
        "codes", "migrate", "-", "--from", OLD, "--to", NEW, "--json", input="1301020101000001\n\n"
    )
    assert json.loads(result.stdout) == [
        {"code": "1301020101000001", "to_code": "13010201001000001", "relation": "renamed"}
    ]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["show", "9999"], NotFoundError),
        (["list", "77"], NotFoundError),
        (["show", "0104", "--kind", "thing"], CodeError),
        (["show", "0104", "--standard", "GB/T 1"], CodeError),
        (["migrate", "0104", "--from", NEW, "--to", OLD], CodeError),
        (["migrate", "-", "--from", OLD, "--to", NEW], CodeError),
    ],
)
def test_mistakes_are_told_in_a_sentence(run, words, error):
    assert isinstance(run("codes", *words).exception, error)


def test_a_stated_workspace_must_exist(run, tmp_path):
    result = run("-w", str(tmp_path / "nowhere"), "codes", "show", "0104")
    assert isinstance(result.exception, WorkspaceError)
