"""What a report is about: the dataset that is judged first, and what its rows and classes are called."""

from collections.abc import Mapping
from dataclasses import dataclass

from gis.remarks import Remark


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A dataset whose deliveries are judged and reported."""

    dataset: str
    title: Remark
    """Heading of the report."""
    row: Remark
    """One row of it."""
    rows: Remark
    """Its rows, within a sentence."""
    classes: Remark
    """Heading of the table that counts its classes."""
    setting: str
    """Where the city profile keeps the limit of refused rows."""


SUBJECTS: Mapping[str, Subject] = {
    subject.dataset: subject
    for subject in (
        Subject(
            dataset="components",
            title=Remark(en="Component census report", zh="部件普查检查报告"),
            row=Remark(en="component", zh="部件"),
            rows=Remark(en="components", zh="部件"),
            classes=Remark(en="Component classes", zh="部件类别"),
            setting="[census] refused_limit",
        ),
        Subject(
            dataset="topography",
            title=Remark(en="Base topography report", zh="基础地理信息检查报告"),
            row=Remark(en="map feature", zh="地形要素"),
            rows=Remark(en="map features", zh="地形要素"),
            classes=Remark(en="Feature classes", zh="要素类别"),
            setting="[topography] refused_limit",
        ),
        Subject(
            dataset="place_names",
            title=Remark(en="Place name report", zh="地名检查报告"),
            row=Remark(en="place name", zh="地名"),
            rows=Remark(en="place names", zh="地名"),
            classes=Remark(en="Categories", zh="地名类别"),
            setting="[census] refused_limit",
        ),
        Subject(
            dataset="addresses",
            title=Remark(en="Address report", zh="地址检查报告"),
            row=Remark(en="address", zh="地址"),
            rows=Remark(en="addresses", zh="地址"),
            classes=Remark(en="Kinds of place", zh="地点类型"),
            setting="[census] refused_limit",
        ),
    )
}
"""Dataset -> what a report on it says."""
