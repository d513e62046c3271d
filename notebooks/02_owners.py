# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Whose case is it? 案件归谁
#
# Any frame of places or cases, one call, one owning unit 责任单位 per row: how surely, and why not
# more surely. Then the cases a person should look at, what makes them doubtful, and where they lie.
#
# It reads the workspace and delivery that `make demo` made. For your own city change the two lines
# below.

# %%
from pathlib import Path

import folium
import geopandas as gpd
import pandas as pd

from api import Case, Position, open_snapshot
from api.telling.wording import reasons
from gis.maps import offline_map
from gis.sheets import read_sheet

WORKSPACE = Path("demo")
CASES = WORKSPACE / "sample" / "08案件" / "2025年案件.csv"

snapshot = open_snapshot(WORKSPACE)
print(f"data version {snapshot.version}")

# %% [markdown]
# ## A year of cases
#
# The file's own column names are understood (经度, 小类代码, 部件编码 …), the index stays as it is, and a
# GeoDataFrame is asked for where its geometry lies. The answer has the columns of `POST /v1/assign/batch`.

# %%
cases = read_sheet(CASES).frame.set_index("案件编号")
decided = snapshot.assign(cases)
decided[["grid_code", "component_code", "unit_name", "rule", "probability", "needs_review"]].head()

# %% [markdown]
# ## One place, with the whole trace
#
# The same question for one case also tells every candidate, why it was taken or not, and who else it
# may be.

# %%
doubtful = decided[decided["component_code"].notna() & (decided["location_source"] == "position")]
case = cases.loc[doubtful["probability"].idxmin()]
answer = snapshot.decide(
    Case(
        kind="component",
        class_code=str(case["类别代码"]),
        position=Position(x=float(case["X"]), y=float(case["Y"]), crs=case["坐标系"]),
    )
)
print(answer.owner.unit_name, f"{answer.probability:.2f}")
for other in answer.owner.alternatives:
    print("or", other.unit_name, f"{other.probability:.2f}", other.why_zh)
pd.DataFrame(
    [(step.step, step.candidate, step.outcome, step.why_zh) for step in answer.trace],
    columns=["step", "candidate", "outcome", "why"],
)

# %% [markdown]
# ## The unsure ones
#
# A decision is never left out; what makes it doubtful is a code with a sentence in both languages.

# %%
unsure = decided[decided["needs_review"]]
told = unsure["reasons"].str.split(";").explode()
table = told.value_counts().rename("cases").to_frame()
table["share"] = table["cases"] / len(decided)
table["meaning"] = [reasons()[code]["zh"] for code in table.index]
print(f"{len(unsure):,} of {len(decided):,} cases want a look ({len(unsure) / len(decided):.1%})")
table.style.format({"share": "{:.1%}"})

# %% [markdown]
# How sure are the others? Cases by probability of the owning unit:

# %%
steps = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
pd.crosstab(
    pd.cut(decided["probability"], steps, include_lowest=True),
    decided["needs_review"].map({True: "look 复核", False: "sure 自动派遣"}),
)

# %% [markdown]
# ## Where they lie
#
# Blue circles can be sent as they are, orange ones want a look: point at one for its unit and
# reasons. Along borders and among crowded components they gather. The page opens without a network.

# %%
located = decided[decided["location_x"].notna()]
points = gpd.GeoDataFrame(
    located[["unit_name", "probability", "needs_review", "reasons"]].round({"probability": 2}),
    geometry=gpd.points_from_xy(located["location_x"], located["location_y"], crs=snapshot.crs),
).to_crs(4326)
shown = points.groupby("needs_review").head(400).reset_index(names="case")
grids = snapshot.frame("unit_grids")[["code", "geometry"]].to_crs(4326)

page = offline_map(bounds=tuple(grids.total_bounds))
folium.GeoJson(
    grids,
    interactive=False,
    style_function=lambda _: {"color": "#b0bec5", "weight": 1, "fillOpacity": 0},
).add_to(page)
folium.GeoJson(
    shown,
    marker=folium.CircleMarker(radius=5, weight=1, fill=True, fill_opacity=0.8),
    style_function=lambda feature: {
        "color": "#37474f",
        "fillColor": "#ef6c00" if feature["properties"]["needs_review"] else "#1565c0",
        "fillOpacity": 0.8,
    },
    tooltip=folium.GeoJsonTooltip(fields=["case", "unit_name", "probability", "reasons"]),
).add_to(page)
page  # noqa: B018 (shown)

# %% [markdown]
# ## From here
#
# Write `wanmi assign cases.csv -o decided.gpkg` for a file of any size: the same columns, opened in
# QGIS as points. `docs/scale.md` says how a province runs.
