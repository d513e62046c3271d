"""The report on a plan in a real browser: from a file, without network, in both languages."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from playwright.sync_api import Browser, expect

from census.plan.coverage import judge
from census.plan.findings import Finding, find
from pipelines.responsibility.ahead import Ahead
from pipelines.responsibility.intake import taxonomy_of, transform
from pipelines.responsibility.judging import PlanJudgement, classes_of, plan_of
from pipelines.responsibility.page import write_page
from pipelines.responsibility.places import places_of
from pipelines.responsibility.validity import in_force
from tests.browser.conftest import Watched, watch
from tests.pipelines.town import AS_OF, context, frame, rectangle

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("server")]

AHEAD = date(2027, 1, 1)
HOSTILE = "</script><script>document.title='broken in'</script><img src=x onerror=alert(1)>"
UNITS = pd.DataFrame({"code": ["U1", "U2"], "name": ["排水公司", HOSTILE], "successor_code": None})


def judged(root: Path) -> PlanJudgement:
    row = {"part": "row", "kind": "事件", "area_name": "全区", "handler": "U1", "remark": HOSTILE}
    rows = [
        {
            "part": "area",
            "code": "P1",
            "name": HOSTILE,
            "kind": "面",
            "wkt": rectangle(9, 9, 99, 99).wkt,
        },
        row | {"code": "1", "class_code": "01"},
        row | {"code": "7", "class_code": "0101", "handler": "U2", "valid_from": str(AHEAD)},
        row | {"code": "2", "class_code": "0203", "area_name": "翠屏社区"},
        row | {"code": "3", "class_code": "0203", "area_name": "翠屏社区", "handler": "U2"},
        row | {"code": HOSTILE, "class_code": "0203", "area_name": "P1", "hours": "08:00/20:00"},
        row | {"code": "5", "class_code": HOSTILE},
    ]
    town = context(root, units=UNITS)
    outcome = transform(frame(rows), town)
    plan, taxonomy = plan_of(in_force(outcome.accepted, AS_OF)), taxonomy_of(town)
    areas = gpd.GeoDataFrame(outcome.beside.areas)  # type: ignore[union-attr]
    coverage = judge(
        plan,
        classes=classes_of(taxonomy),
        places=places_of(town, areas, named=plan.areas),
        order=town.profile.decision.order,
    )
    later = Finding(
        what="hole",
        kind="event",
        classes=("0101",),
        areas=("*",),
        times=((None, None),),
        places=(0,),
    )
    return PlanJudgement(
        file=HOSTILE,
        as_of=AS_OF,
        context=town,
        outcome=outcome,
        rows_read=len(rows),
        areas=areas,
        taxonomy=taxonomy,
        plan=plan,
        coverage=coverage,
        findings=tuple(find(coverage, plan.rows)),
        contradictions=(),
        ahead=Ahead(days=(AHEAD,), left=(), findings=(later,), periods={later: ((AHEAD, None),)}),
    )


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Watched]:
    path = tmp_path / "报告 #1.html"
    write_page(judged(tmp_path), path)
    watched = watch(browser, path.as_uri())
    watched.page.on("dialog", lambda dialog: watched.errors.append(dialog.message))
    watched.page.goto(path.as_uri())
    yield watched
    assert watched.errors == []
    assert watched.foreign == []
    assert watched.page.title() != "broken in"
    watched.page.close()


def test_matrix_rows_map_and_languages(opened: Watched) -> None:
    page = opened.page
    expect(page.locator("#verdict [lang=zh]")).to_be_visible()
    page.select_option("#kind", "event")
    line = page.locator("#matrix tr", has_text="0203")
    expect(line.locator("td.s")).to_have_count(2)  # a street and the drawn area
    # Nobody in the other community: a hole is worse than the conflict.
    expect(line.locator("td.s").first).to_have_class("s s1")
    page.select_option("#level", "community")
    expect(line.locator("td.s")).to_have_count(3)
    expect(line.locator("td.s").first).to_have_class("s s3")
    line.locator("td.s").first.click()
    expect(page.locator("#detail h3")).to_contain_text("责任冲突")
    expect(page.locator("#detail tbody tr")).to_have_count(3)
    expect(page.locator("#map path.area")).to_have_count(2)
    expect(page.locator("#map path.drawn")).to_have_count(1)
    page.click("#language")
    expect(page.locator("#verdict [lang=en]")).to_have_text("Not accepted")
    page.check("#faulty")
    expect(page.locator("#matrix tr", has_text="0101 私搭乱建")).to_have_count(0)
    expect(page.locator("#faults tbody tr", has_text="RP02")).to_have_count(1)


def test_a_finding_opens_what_it_is_about(opened: Watched) -> None:
    page = opened.page
    row = page.locator("#findings tbody tr", has_text="责任冲突")
    expect(row).to_have_count(1)
    row.click()
    expect(page.locator("#detail h3")).to_contain_text("0203")
    expect(page.locator("#detail tbody")).to_contain_text("2.handler")


def test_what_is_found_on_later_days_shows_the_rows_of_those_days(opened: Watched) -> None:
    page = opened.page
    row = page.locator("#findings tbody tr", has_text="自 2027-01-01 起")
    expect(row).to_have_count(1)
    expect(row.locator("b")).to_have_class("warning")
    expect(row.locator("small")).to_have_text("2027-01-01")
    page.select_option("#kind", "event")
    page.locator("#matrix tr", has_text="0101 私搭乱建").locator("td.s").first.click()
    expect(page.locator("#detail tbody")).not_to_contain_text("7.handler")
    row.click()
    expect(page.locator("#detail h3")).to_contain_text("0101")
    expect(page.locator("#detail h3")).to_contain_text("(2027-01-01)")
    expect(page.locator("#detail tbody")).to_contain_text("7.handler")
    expect(page.locator("#detail tbody")).to_contain_text("2027-01-01…")
