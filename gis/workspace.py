"""A workspace 工作区: one folder per city with its profile, database, snapshots and imagery."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from gis.calendars import Calendar
from gis.errors import SettingsError, WorkspaceError
from gis.settings import Settings

PROFILE_NAME = "wanmi.toml"

StandardRef = Literal["CJ/T 214-2007", "GB/T 30428.2-2013", "GB/T 47678.5-2026"]
CrsText = Annotated[str, msgspec.Meta(min_length=1)]


class City(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[city]`` table: which city, which generation of the standards, which CRS."""

    code: Annotated[str, msgspec.Meta(pattern=r"^\d{6}$")]
    """Six-digit code of the city or district (GB/T 2260) that the workspace covers."""
    name: str = ""
    standard: StandardRef = "GB/T 30428.2-2013"
    """Generation of component and event codes."""
    crs: CrsText = "EPSG:4547"
    """Measuring CRS in metres: an EPSG code, or the name of a ``.wkt`` file in the workspace."""
    timezone: str = "Asia/Shanghai"


class Codes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[codes]`` table: lengths that differ between generations and cities."""

    grid_length: Literal[14, 15] | None = None
    """Digits of a unit grid code; None: what the standard's generation says."""
    component_length: Literal[16, 17] | None = None
    """Digits of a component code; None: what the standard's generation says."""


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[thresholds]`` table: limits a city may change; none is law (see docs)."""

    grid_target_m2: float = 10_000.0
    """Target area of a unit grid 万米单元网格, m²."""
    duplicate_distance_m: float = 0.5
    """Two components of one class closer than this are reported as near-duplicates, m."""
    outside_distance_m: float = 50.0
    """A component farther than this outside the areas is rejected, m."""
    match_radius_m: float = 30.0
    """Greatest distance at which a case is matched to a component, m."""
    review_probability: float = 0.8
    """A decision less probable than this needs review."""


class Grids(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[grids]`` table: how the city wants its communities divided into unit grids."""

    neatness: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.25
    """0: grids of even size; 1: grids of neat shape."""
    balance_weight: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Weight of an even number of components per grid 负载均衡; 0: not balanced."""
    component_clearance_m: Annotated[float, msgspec.Meta(ge=0)] = 0.6
    """Distance that a border which follows no feature keeps from components, m."""
    compound_limit: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """Compounds 院落 of up to this multiple of the target are kept whole."""
    main_roads: Literal["centreline", "own"] = "centreline"
    """Grids meet at the centreline of a main road, or its carriageway is grids of its own."""
    water: Literal["own", "shared"] = "own"
    """Wide water is grids of its own, or grids meet at the centreline of a river."""
    zone_targets: dict[str, Annotated[float, msgspec.Meta(ge=100)]] = {}
    """Feature class prefix (GB/T 13923) -> target area of grids on such land, m²."""


class Census(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[census]`` table: how strictly component surveys are judged."""

    severity: dict[str, Literal["error", "warning", "off"]] = {}
    """Rule of ``census/rules`` -> what it does in this city; the others do what the catalogue says."""
    fields: dict[str, list[str]] = {}
    """Platform column of components -> what the columns of this city's deliveries are called."""
    refused_limit: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.01
    """Greatest share of a delivery's rows that may be refused, else all of it is rejected 不合格."""
    recode_distance_m: Annotated[float, msgspec.Meta(gt=0)] = 500.0
    """A code this far from where it was has been passed to another object, m."""
    least_line_m: Annotated[float, msgspec.Meta(ge=0)] = 0.1
    """A line shorter than this is no component, m."""
    least_polygon_m2: Annotated[float, msgspec.Meta(ge=0)] = 0.05
    """A polygon smaller than this is no component, m²."""
    stack_size: Annotated[int, msgspec.Meta(ge=2)] = 4
    """This many components at exactly one point were not surveyed there."""
    lattice_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.9
    """Share of a file's positions on a lattice from which on its precision counts as lost."""
    earliest_year: Annotated[int, msgspec.Meta(ge=1)] = 1949
    """Dates before this year are doubted."""
    completeness_drop: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    """A column may be this much emptier than in the last version of its class, as a share."""
    count_change: Annotated[float, msgspec.Meta(gt=0)] = 0.5
    """The number of components of a class may change by this share of what it was."""
    density_score: Annotated[float, msgspec.Meta(gt=0)] = 6.0
    """Robust score from which on a grid differs too much from the grids around it."""
    moved_m: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Farther than this from where it was a component has moved, m; None: its class's accuracy."""
    elsewhere_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    """Share of a file outside the city from which on the file is of another city."""


class Topography(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[topography]`` table: how strictly base topography is judged."""

    severity: dict[str, Literal["error", "warning", "off"]] = {}
    """Rule of ``pipelines/topography/rules`` -> what it does in this city."""
    refused_limit: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.01
    """Greatest share of a delivery's features that may be refused, else it is rejected 不合格."""
    snap_m: Annotated[float, msgspec.Meta(gt=0)] = 0.5
    """A line that ends this near to another should have met it, m."""
    overlap_m2: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    """Areas may overlap by less than this, m²."""
    overlap_m: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    """A line may run within an area by less than this, m."""
    least_line_m: Annotated[float, msgspec.Meta(ge=0)] = 0.05
    """A shorter line is no feature, m."""
    least_polygon_m2: Annotated[float, msgspec.Meta(ge=0)] = 0.1
    """A smaller area is no feature, m²."""
    sliver_m: Annotated[float, msgspec.Meta(ge=0)] = 0.1
    """An area thinner than this on average is a sliver, m."""
    edge_mm: Annotated[float, msgspec.Meta(gt=0)] = 0.3
    """Ends this near across the edge of two sheets are joined, mm on the map; twice as far with a warning."""
    same_m: Annotated[float, msgspec.Meta(ge=0)] = 0.05
    """A feature delivered again no farther than this from where it was did not change, m."""
    contour_m: Annotated[float, msgspec.Meta(gt=0)] | None = None
    """Contour interval 等高距, m; None: what most contours of the delivery tell."""


ROLES = ("maintainer", "owner", "competent", "handler", "territorial")
"""Roles 角色 that an order may name: 养护, 权属, 主管, 处置, 属地."""
Order = tuple[str, ...]


class ClassOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One ``[[decision.class]]``: the order of roles for one class, where it is another."""

    kind: Literal["component", "event"]
    class_code: Annotated[str, msgspec.Meta(pattern=r"^\d{2}(\d{2,3})?$")]
    """Major class (two digits) or minor class; a minor class's own order goes before its major's."""
    order: Order


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[decision]`` table: in which order roles are asked for an owning unit 责任单位."""

    component_order: Order = ("maintainer", "owner", "competent", "territorial")
    """先属主、后属地: the component's own units first, then the territory."""
    event_order: Order = ("territorial", "handler", "competent")
    """先属地、后属主: the territory first, then the responsible subject."""
    rival_probability: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.1
    """Another unit at least this probable makes a case one of 接边 or 交叉 responsibility."""
    record_trust: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.97
    """How often a component's own record is right where the plan names another unit in that role;
    ``wanmi cases redecide`` tells what a city's own history says."""
    classes: tuple[ClassOrder, ...] = msgspec.field(default=(), name="class")
    """Classes with an order of their own."""

    def __post_init__(self) -> None:
        """Refuse orders that are empty or name a role twice or unknown, and two for one class."""
        orders = {"component_order": self.component_order, "event_order": self.event_order}
        for entry in self.classes:
            name = f"class {entry.kind} {entry.class_code}"
            if name in orders:
                msg = f"[[decision.class]] has {entry.kind} {entry.class_code} twice"
                raise ValueError(msg)
            orders[name] = entry.order
        for name, order in orders.items():
            _check_order(name, order)

    def order(self, kind: str, class_code: str | None) -> tuple[str, ...]:
        """Return the roles of a class in their order: the minor class's, the major's, the kind's.

        Examples
        --------
        >>> own = ClassOrder(kind="event", class_code="01", order=("handler", "territorial"))
        >>> decision = Decision(classes=(own,))
        >>> decision.order("event", "0103"), decision.order("event", "0201")
        (('handler', 'territorial'), ('territorial', 'handler', 'competent'))
        """
        if self.classes and class_code:
            own = {(str(entry.kind), entry.class_code): entry.order for entry in self.classes}
            for code in (class_code, class_code[:2]):
                if (kind, code) in own:
                    return own[kind, code]
        return self.component_order if kind == "component" else self.event_order


def _check_order(name: str, order: Order) -> None:
    unknown = [role for role in order if role not in ROLES]
    msg = ""
    if not order:
        msg = f"the order of {name} is empty: it names at least one of {', '.join(ROLES)}"
    elif unknown:
        msg = f"the order of {name} names an unknown role {unknown[0]!r}: known are {', '.join(ROLES)}"
    elif len(set(order)) < len(order):
        msg = f"the order of {name} names a role twice: {', '.join(order)}"
    if msg:
        raise ValueError(msg)


class ExtensionClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One ``[[extension_class]]``: a class 扩展类 the city added to the standard's tables."""

    kind: Literal["component", "event"]
    code: Annotated[str, msgspec.Meta(pattern=r"^\d{4,5}$")]
    name: str
    accuracy: Literal["A", "B", "C"] = "A"
    geometry: Literal["point", "line", "polygon", "any"] = "point"


class ExtensionTrade(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One ``[[extension_trade]]``: a trade 行业 of the city's own with management grids 管理网格."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[\w（）()·-]{1,30}$")]
    letters: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{1,4}$")]
    """Stand in the codes of its management grids, between area and sequence."""


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The city profile ``wanmi.toml``."""

    city: City
    codes: Codes = Codes()
    thresholds: Thresholds = Thresholds()
    grids: Grids = Grids()
    census: Census = Census()
    topography: Topography = Topography()
    decision: Decision = Decision()
    calendar: Calendar = Calendar()
    extension_class: list[ExtensionClass] = []
    extension_trade: list[ExtensionTrade] = []

    @property
    def grid_code_length(self) -> int:
        """Digits of a unit grid code: 14 in the 2007 generation, 15 since, unless set."""
        return self.codes.grid_length or (14 if self.city.standard == "CJ/T 214-2007" else 15)

    @property
    def component_code_length(self) -> int:
        """Digits of a component code: 17 in the 2026 generation, 16 before, unless set."""
        return self.codes.component_length or (
            17 if self.city.standard == "GB/T 47678.5-2026" else 16
        )


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """An opened workspace."""

    root: Path
    """Absolute path of the folder."""
    profile: Profile
    settings: Settings

    @property
    def snapshots(self) -> Path:
        """Folder of compiled snapshots."""
        return self.root / "snapshots"

    @property
    def imagery(self) -> Path:
        """Folder of rectified orthophotos."""
        return self.root / "imagery"


def find_workspace(settings: Settings, *, start: Path) -> Path:
    """Return the workspace folder: the stated one, else the nearest upwards from `start`.

    Raises
    ------
    WorkspaceError
        No folder upwards holds a ``wanmi.toml``.
    """
    if settings.workspace is not None:
        return settings.workspace.expanduser().resolve()
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / PROFILE_NAME).is_file():
            return folder
    msg = (
        f"No {PROFILE_NAME} here or above: run `wanmi init DIR --city-code CODE` first, "
        "or name the workspace with --workspace or WANMI_WORKSPACE."
    )
    raise WorkspaceError(
        msg,
        zh=f"此处及上级目录没有 {PROFILE_NAME}：请先运行 wanmi init，或用 --workspace 指定工作区。",
    )


def open_workspace(folder: Path, *, settings: Settings) -> Workspace:
    """Read the city profile of `folder`.

    Raises
    ------
    WorkspaceError
        The folder has no ``wanmi.toml``.
    SettingsError
        The profile is not UTF-8, not valid TOML, or has an unknown key or a value out of range.
    """
    path = folder / PROFILE_NAME
    try:
        # Editors of Windows put a byte order mark before UTF-8.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{path} is not UTF-8 (byte {error.start}): save it again as UTF-8."
        raise SettingsError(
            msg, zh=f"{path} 不是 UTF-8 编码（第 {error.start} 字节）：请另存为 UTF-8。"
        ) from error
    except FileNotFoundError as error:
        msg = f"{folder} is no workspace: it has no {PROFILE_NAME}; make one with `wanmi init {folder}`."
        raise WorkspaceError(
            msg, zh=f"{folder} 不是工作区：缺少 {PROFILE_NAME}，请用 wanmi init 创建。"
        ) from error
    return Workspace(
        root=folder.resolve(), profile=parse_profile(text, source=str(path)), settings=settings
    )


def parse_profile(text: str, *, source: str = PROFILE_NAME) -> Profile:
    """Parse a city profile, naming the key at fault.

    Raises
    ------
    SettingsError
        Not TOML, an unknown key, or a value out of range.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
        return msgspec.convert(table, Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        msg = f"{source}: {error}; correct this line of the city profile."
        raise SettingsError(msg, zh=f"{source} 有误：{error}；请修改城市配置。") from error
