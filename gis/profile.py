"""A new workspace: its folder and the commented city profile ``wanmi.toml``."""

import json
import shutil
from pathlib import Path

from gis.crs import city_crs
from gis.errors import WorkspaceError
from gis.workspace import PROFILE_NAME, City, Profile, parse_profile

_TEXT = """\
# City profile of a Wanmi workspace. Every setting is here with its default; a line that begins with
# "# name =" is a setting without a default. Unknown names are refused.

[city]
code = {code}            # six digits (GB/T 2260): the city or district this workspace covers
name = {name}
standard = {standard}    # CJ/T 214-2007, GB/T 30428.2-2013 or GB/T 47678.5-2026
crs = {crs}              # measuring CRS in metres: EPSG:n, or the name of a .wkt file beside this one.
                         # After the first `wanmi db migrate` it can not change any more.
timezone = "Asia/Shanghai"    # local time of seasons, hours and time limits

[codes]                  # only where the city differs from its standard
# grid_length = 15       # digits of a unit grid code: 14 (2007) or 15
# component_length = 16  # digits of a component code: 16 or 17 (2026)

[thresholds]             # limits of this city; none is law
grid_target_m2 = 10000.0      # target area of a unit grid, m²
duplicate_distance_m = 0.5    # two components of one class closer than this are reported, m
outside_distance_m = 50.0     # a component farther than this outside the areas is refused, m
match_radius_m = 30.0         # greatest distance between a case and its component, m
review_probability = 0.8      # a decision less probable than this needs review

[grids]                  # how communities are divided into unit grids
neatness = 0.25               # 0: grids of even size; 1: grids of neat shape
balance_weight = 0.0          # weight of an even number of components per grid 负载均衡; 2.0 is a good start
component_clearance_m = 0.6   # distance that a border which follows no feature keeps from components, m
compound_limit = 1.0          # compounds 院落 of up to this multiple of the target are kept whole
main_roads = "centreline"     # or "own": the carriageway of a main road is grids of its own
water = "own"                 # or "shared": grids meet at the centreline of a river
zone_targets = {{}}             # target area by feature class prefix, m²: {{ "81" = 80000.0 }}

[census]                 # how component surveys are judged; `wanmi census rules` lists the rules
fields = {{}}                   # the city's own spellings of columns: {{ owner_name = ["QSDW_MC"] }}
severity = {{}}                 # rule -> "error", "warning" or "off": {{ C046 = "off" }}
refused_limit = 0.01          # a delivery with a greater share of refused rows is rejected 不合格
recode_distance_m = 500.0     # a code this far from where it was has been passed to another object, m
least_line_m = 0.1            # a shorter line is no component, m
least_polygon_m2 = 0.05       # a smaller polygon is no component, m²
stack_size = 4                # this many components at exactly one point were not surveyed there
lattice_share = 0.9           # share of a file's positions on a lattice that tells of lost precision
# moved_m = 1.0               # farther than this a component has moved, m; default: its class's accuracy
earliest_year = 1949          # dates before this year are doubted
completeness_drop = 0.2       # a column may be this much emptier than in the last version of its class
count_change = 0.5            # the number of components of a class may change by this share
density_score = 6.0           # robust score from which on a grid differs too much from those around it
elsewhere_share = 0.5         # share of a file outside the city that makes it one of another city

[topography]             # how base topography is judged; docs/topography.md lists the rules
severity = {{}}                 # rule -> "error", "warning" or "off": {{ TP29 = "off" }}
refused_limit = 0.01          # a delivery with a greater share of refused features is rejected 不合格
snap_m = 0.5                  # a line that ends this near to another should have met it, m
overlap_m2 = 1.0              # areas may overlap by less than this, m²
overlap_m = 1.0               # a line may run within an area by less than this, m
least_line_m = 0.05           # a shorter line is no feature, m
least_polygon_m2 = 0.1        # a smaller area is no feature, m²
sliver_m = 0.1                # an area thinner than this on average is a sliver, m
edge_mm = 0.3                 # ends this near across the edge of two sheets 接边 are joined, mm on the map
same_m = 0.05                 # delivered again no farther than this from where it was: unchanged, m
# contour_m = 1.0             # contour interval 等高距, m; default: what most contours tell

[decision]               # which role is asked first for the owning unit
component_order = ["maintainer", "owner", "competent", "territorial"]    # 先属主、后属地
event_order = ["territorial", "handler", "competent"]                    # 先属地、后属主
rival_probability = 0.1       # another unit at least this probable makes a case one of 接边 or 交叉 responsibility
record_trust = 0.97           # how often a component's record is right where the plan names another unit

# Classes with an order of their own, one block each: a minor class's goes before its major class's.
# [[decision.class]]
# kind = "event"         # component or event
# class_code = "0103"    # minor class, or two digits: a major class
# order = ["handler", "territorial"]    # of maintainer, owner, competent, handler, territorial

[calendar]               # when the city's units work 工作日历, beside the published holidays of China
# file = "calendar.csv"  # in the workspace, with the columns date and kind (holiday, workday); adds to the lists
# holidays = [2027-05-06]    # days off beside weekends and the published holidays
# workdays = [2027-05-08]    # days worked although a weekend or a holiday; they win over holidays
# years = [2027]             # years whose holidays these lists state in full

# Working hours 作息时间 by season, one block each, the first that holds counts; none: 8-12 and 14-18.
# [[calendar.hours]]
# from = "06-01"         # first day of the season, month-day
# to = "09-30"           # last day of the season, included
# spans = ["08:30-12:00", "14:30-18:00"]    # of a day, in order
# valid_from = 2026-10-01    # first day on which these hours hold at all
# valid_to = 2028-10-01      # day from which they no longer hold

# Classes 扩展类 that the city added to its standard's tables, one block each.
# [[extension_class]]
# kind = "component"     # component or event
# code = "0999"          # four or five digits
# name = "共享单车停放点"
# accuracy = "A"         # A, B or C: 0.5, 1 or 10 m
# geometry = "point"     # point, line, polygon or any

# Trades 行业 of the city's own that have management grids, besides enforcement, sanitation, green space,
# municipal works, lighting, gas and heat; one block each.
# [[extension_trade]]
# name = "河道保洁"
# letters = "HD"         # 1 to 4 capital letters, in the codes of its management grids
"""


def profile_text(city: City) -> str:
    """Return the text of a city profile with every setting at its default.

    Examples
    --------
    >>> text = profile_text(City(code="130102"))
    >>> parse_profile(text).thresholds.match_radius_m
    30.0
    """
    return _TEXT.format(
        code=_quoted(city.code),
        name=_quoted(city.name),
        standard=_quoted(city.standard),
        crs=_quoted(city.crs),
    )


def make_workspace(folder: Path, *, city: dict[str, str]) -> Path:
    """Make a workspace folder with its profile; return the profile's path.

    Parameters
    ----------
    folder : pathlib.Path
        New folder, or one without a profile; other files in it stay.
    city : dict
        Settings of ``[city]`` that differ from the defaults. ``crs`` may be the path of a ``.wkt``
        file, which is copied into the workspace.

    Raises
    ------
    WorkspaceError
        The folder is a workspace already, or can not be written.
    SettingsError
        A value is not allowed.
    CrsError
        The CRS is unknown or not in metres.
    """
    path = folder / PROFILE_NAME
    if path.exists():
        msg = f"{folder} is a workspace already: edit its {PROFILE_NAME}, or choose another folder."
        raise WorkspaceError(
            msg, zh=f"{folder} 已是工作区：请修改其中的 {PROFILE_NAME}，或另选文件夹。"
        )
    source = Path(city.get("crs", ""))
    is_file = source.suffix.lower() in (".wkt", ".prj")
    named = city | {"crs": source.name} if is_file else city
    text = _checked(named, crs_folder=source.parent)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if is_file and source.resolve() != (folder / source.name).resolve():
            shutil.copyfile(source, folder / source.name)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{folder} can not be written: {error.strerror}; choose another folder."
        raise WorkspaceError(
            msg, zh=f"无法写入 {folder}：{error.strerror}；请另选文件夹。"
        ) from error
    return path


def _checked(city: dict[str, str], *, crs_folder: Path) -> str:
    """Return the profile's text once every value in it holds."""
    lines = "".join(f"{name} = {_quoted(value)}\n" for name, value in city.items())
    profile: Profile = parse_profile(f"[city]\n{lines}")
    city_crs(profile, crs_folder)
    return profile_text(profile.city)


def _quoted(value: str) -> str:
    """Return a TOML string; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
