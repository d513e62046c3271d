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
# # Hot spots of a year of cases 案件热点
#
# Which unit grids 单元网格 draw more cases than chance would give them, and which owning units
# 责任单位 do they fall to? The notebook decides every case over the snapshot, counts by grid and
# owner, and maps Getis-Ord Gi* with the false discovery rate held.
#
# It reads the workspace and delivery that `make demo` made. Open it with Jupyter and jupytext, or
# run it as a script. For your own city change the two lines below.

# %%
from pathlib import Path

import pandas as pd

from api import open_snapshot
from gis.fields import map_fields
from gis.hotspots import count_per_cell, find_hotspots
from gis.maps import hotspot_map
from gis.sheets import read_sheet

WORKSPACE = Path("demo")
CASES = WORKSPACE / "sample" / "08案件" / "2025年案件.csv"

# %% [markdown]
# ## The cases, decided
#
# The file has the contractor's column names; known spellings map by themselves. Every row gets a
# grid, an owning unit, a probability and the reasons that make it doubtful.

# %%
snapshot = open_snapshot(WORKSPACE)
cases = map_fields(read_sheet(CASES).frame, dataset="cases", stated={}).frame
decided = snapshot.assign(cases).assign(reported_at=cases["reported_at"])
decided[["case_id", "grid_code", "unit_name", "probability", "needs_review", "reasons"]].head(8)

# %%
located = decided["grid_code"].notna()
print(
    f"{len(decided):,} cases, {located.mean():.1%} in a grid, {decided['needs_review'].mean():.1%} to review"
)
print(f"data version {snapshot.version}")

# %% [markdown]
# ## By owning unit
#
# How much work falls to whom, and how much of it a person should look at first.

# %%
by_unit = (
    decided.groupby("unit_name")
    .agg(
        cases=("case_id", "size"),
        to_review=("needs_review", "mean"),
        grids=("grid_code", "nunique"),
    )
    .sort_values("cases", ascending=False)
)
by_unit.head(12).style.format({"to_review": "{:.0%}"})

# %% [markdown]
# ## By unit grid
#
# Every grid counts, also those without a case: leaving them out would make the rest look ordinary.

# %%
grids = snapshot.frame("unit_grids")
counts = count_per_cell(grids, decided.loc[located, "grid_code"])
counts.describe().to_frame("cases per grid")

# %% [markdown]
# ## Hot spots
#
# Gi* compares each grid and its neighbours with the whole district (Getis and Ord). With hundreds
# of grids tested at once, the threshold keeps the expected share of false finds at 5 % (Benjamini
# and Hochberg). `permutations=9999` judges more strictly where a few grids hold most cases.

# %%
found = find_hotspots(grids, counts)
found["verdict"].value_counts()

# %%
hottest = found[found["verdict"] == "hot"].nlargest(10, "z")[["code", "value", "z", "p"]]
main_unit = decided.groupby("grid_code")["unit_name"].agg(lambda names: names.mode().iat[0])
hottest.assign(main_unit=hottest["code"].map(main_unit))

# %% [markdown]
# ## The map
#
# Point at a grid for its numbers; the lines are the streets. The page carries its own scripts and opens without a network.

# %%
places = snapshot.frame("places")
hotspot_map(found, backdrop=places[places["kind"] == "street"])

# %% [markdown]
# ## When
#
# The hottest grids by month and hour of day: a market in the morning and a crossing in the evening
# need different patrols.

# %%
times = pd.to_datetime(decided["reported_at"], errors="coerce")
hot_codes = set(found.loc[found["verdict"] == "hot", "code"])
hot_times = times[decided["grid_code"].isin(hot_codes)].dropna()
pd.crosstab(hot_times.dt.month.rename("month"), (hot_times.dt.hour // 3 * 3).rename("from hour"))
