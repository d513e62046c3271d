"""Reading ``delivery.toml``, what a delivery says of its files; every mistake in it is told with its fix."""

import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, get_args

from gis.errors import DeliveryError
from pipelines.delivery import (
    DATASETS,
    LAYER_KEYS,
    MANIFEST_NAME,
    TEXT_KEYS,
    Delivery,
    LayerSpec,
    Mode,
)
from pipelines.files import closest, find_files, names_archive

_DELIVERY_KEYS = ("name", "as_of", "base")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "imagery": (
        "rpc",
        "gcps",
        "dem",
        "height_datum",
        "undulation_m",
        "gcp_height_datum",
        "gcp_undulation_m",
        "acquired_on",
        "scale",
        "terrain",
        "code",
        "sensor",
        "resolution_m",
    ),
    "components": ("standard",),
    "place_names": ("annotation",),
    "topography": (
        "sheet_from",
        "scale",
        "size",
        "index",
        "index_field",
        "surveyed_on",
        "contractor",
        "ids",
        "extent",
        "sheets",
        "classes",
    ),
}
"""Dataset -> keys of ``[layer.options]`` that it takes."""

Refused = Callable[[str, DeliveryError], None]
"""Told of a ``[[layer]]`` that can not be used, by its path or number, and why."""


def read_manifest(folder: Path, *, refused: Refused | None = None) -> Delivery:
    """Read ``delivery.toml`` of `folder` and find every file it names.

    With `refused`, a layer that is wrong or whose files are not there is told to it and left out.

    Raises
    ------
    DeliveryError
        No folder, no manifest, not TOML, an unknown or missing key, a value out of range, a path
        that leads out of the folder, a file that is not there, or no layer at all.
    """
    table = load_manifest(folder / MANIFEST_NAME, of=folder)
    return parse_manifest(table, root=folder.resolve(), refused=refused)


def load_manifest(path: Path, *, of: Path) -> dict[str, Any]:
    """Return the content of a manifest, the one of the delivery `of`.

    Raises
    ------
    DeliveryError
        There is none, nor perhaps a delivery, or it is not TOML in UTF-8.
    """
    if not of.exists():
        raise _refuse(
            f"There is no {of}: correct the path of the delivery.", f"没有 {of}：请更正交付的路径。"
        )
    if not path.is_file():
        raise _refuse(
            f"{of} is no delivery: it has no {MANIFEST_NAME}; write one that names its files, or have "
            f"one proposed with: wanmi census manifest {of} -o {path}",
            f"{of} 不是交付目录：缺少 {MANIFEST_NAME}，请编写清单列出各文件，"
            f"或用 wanmi census manifest {of} -o {path} 生成。",
        )
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _refuse(
            f"{path.name} is not UTF-8 (byte {error.start}): save it again as UTF-8.",
            f"{path.name} 不是 UTF-8 编码（第 {error.start} 字节）：请另存为 UTF-8。",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise _refuse(
            f"{path.name} is not valid TOML: {error}; correct that line.",
            f"{path.name} 不是有效的 TOML：{error}；请修改该行。",
        ) from error


def parse_manifest(
    table: Mapping[str, Any],
    *,
    root: Path,
    refused: Refused | None = None,
    unpacked: Path | None = None,
    source: Path | None = None,
) -> Delivery:
    """Check a manifest that was read from TOML and find its files under `root`.

    With `refused`, a layer that is wrong or whose files are not there is told to it and left out.
    `unpacked` holds what was in archives below `root`, `source` is what the delivery came in.

    Raises
    ------
    DeliveryError
        As for `read_manifest`.
    """
    _refuse_unknown(table, ("delivery", "layer"), where=MANIFEST_NAME)
    head = table.get("delivery")
    if not isinstance(head, Mapping):
        raise _refuse(
            f"{MANIFEST_NAME} has no [delivery] table: add one with name and as_of.",
            f"{MANIFEST_NAME} 缺少 [delivery] 表：请补充 name 和 as_of。",
        )
    _refuse_unknown(head, _DELIVERY_KEYS, where="[delivery]")
    name = head.get("name")
    if not isinstance(name, str) or not name.strip():
        raise _refuse(
            '[delivery] has no name: add name = "2026-spring-census".',
            '[delivery] 缺少 name：请补充，例如 name = "2026-spring-census"。',
        )
    as_of = _day(head.get("as_of"))
    base = _base(head.get("base"))
    entries = table.get("layer")
    if not isinstance(entries, list) or not entries:
        raise _refuse(
            f"The delivery {name!r} is empty: {MANIFEST_NAME} names no [[layer]]; "
            "add one for each file.",
            f"交付“{name}”为空：{MANIFEST_NAME} 中没有 [[layer]]，请为每个文件添加一项。",
        )
    layers = []
    for number, entry in enumerate(entries, 1):
        try:
            layers.append(_layer(entry, number, root, unpacked))
        except DeliveryError as error:
            if refused is None:
                raise
            path = entry.get("path") if isinstance(entry, Mapping) else None
            refused(str(path or f"[[layer]] {number}"), error)
    return Delivery(
        name=name.strip(),
        as_of=as_of,
        root=root,
        source=source or root,
        unpacked=unpacked,
        layers=tuple(layers),
        base=base,
    )


def _day(value: Any) -> date:
    if isinstance(value, date) and type(value) is date:
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise _refuse(
        f"[delivery] as_of is {value!r}: give the day the files describe, as_of = 2026-05-31.",
        f"[delivery] 的 as_of 为 {value!r}：请写成数据所反映的日期，例如 as_of = 2026-05-31。",
    )


def _base(value: Any) -> int | None:
    if value is None or (type(value) is int and value > 0):
        return value
    raise _refuse(
        f"[delivery] base is {value!r}: give the number of a build that `wanmi builds` lists, base = 12.",
        f"[delivery] 的 base 为 {value!r}：请写 wanmi builds 列出的构建号，例如 base = 12。",
    )


def _layer(entry: Any, number: int, root: Path, unpacked: Path | None) -> LayerSpec:
    where = f"[[layer]] {number}"
    if not isinstance(entry, Mapping):
        raise _refuse(
            f"{where} is not a table: write [[layer]] with dataset and path below it.",
            f"第 {number} 个 layer 不是表：请写成 [[layer]]，其下给出 dataset 和 path。",
        )
    _refuse_unknown(entry, LAYER_KEYS, where=where)
    texts = {key: _text(entry[key], key, where) for key in TEXT_KEYS if key in entry}
    for key in ("dataset", "path"):
        if key not in texts:
            raise _refuse(
                f"{where} has no {key}: every layer names its dataset and its path.",
                f"第 {number} 个 layer 缺少 {key}：每个图层都要写明 dataset 和 path。",
            )
    _refuse_value(texts["dataset"], DATASETS, key="dataset", where=where)
    _refuse_value(texts.get("mode", "replace"), get_args(Mode), key="mode", where=where)
    if ("x_field" in texts) != ("y_field" in texts):
        raise _refuse(
            f"{where} names only one of x_field and y_field: name both or none.",
            f"第 {number} 个 layer 只写了 x_field 和 y_field 之一：请同时写明或都不写。",
        )
    if "class_code" in texts and "class_field" in texts:
        raise _refuse(
            f"{where} names both class_code and class_field: keep class_field where the file holds several "
            "classes, else class_code.",
            f"{where} 同时写了 class_code 和 class_field：文件含多个类别时保留 class_field，否则保留 class_code。",
        )
    fields = _table(entry.get("fields", {}), f"{where}.fields")
    options = _table(entry.get("options", {}), f"{where}.options")
    known = OPTIONS.get(texts["dataset"], ())
    _refuse_unknown(options, known, where=f"the options of {where}")
    mode = _mode(texts.pop("mode", "replace"), texts["dataset"], where)
    return LayerSpec(
        **texts,
        mode=mode,
        fields={key: _text(value, key, f"{where}.fields") for key, value in fields.items()},
        options=options,
        files=find_files(texts["path"], root=_root_of(texts["path"], root, unpacked), where=where),
    )


def _mode(mode: str, dataset: str, where: str) -> Mode:
    if mode == "patch" and dataset != "topography":
        raise _refuse(
            f"{where}: only topography can be patched; use replace or update for {dataset}.",
            f"{where}：只有 topography 支持 patch（修补），{dataset} 请用 replace 或 update。",
        )
    known: dict[str, Mode] = {"update": "update", "patch": "patch"}
    return known.get(mode, "replace")


def _root_of(pattern: str, root: Path, unpacked: Path | None) -> Path:
    """Return the folder that a path starts at: apart for one that leads into an archive."""
    return unpacked if unpacked is not None and names_archive(pattern) else root


def _text(value: Any, key: str, where: str) -> str:
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise _refuse(
        f'{where}: {key} is {value!r}; write it as text in quotes, as in {key} = "…".',
        f'{where}：{key} 的值为 {value!r}；请写成带引号的文本，例如 {key} = "…"。',
    )


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise _refuse(
        f"{where} is no table: write [{where.split('.')[-1]}] with one key per line.",
        f"{where} 不是表：请改为每行一个键的表。",
    )


def _refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], *, where: str) -> None:
    for key in table:
        if key in known:
            continue
        if not known:
            raise _refuse(
                f"Unknown key {key!r} in {where}: this dataset takes no options; remove it.",
                f"{where} 中有未知的键“{key}”：该数据集没有选项，请删除。",
            )
        near = closest(key, known)
        raise _refuse(
            f"Unknown key {key!r} in {where}: did you mean {near!r}? "
            f"Known keys: {', '.join(known)}.",
            f"{where} 中有未知的键“{key}”：是否应为“{near}”？可用的键：{'、'.join(known)}。",
        )


def _refuse_value(value: str, known: tuple[str, ...], *, key: str, where: str) -> None:
    if value not in known:
        near = closest(value, known)
        raise _refuse(
            f"{where}: {key} {value!r} is not known: did you mean {near!r}? "
            f"Known: {', '.join(known)}.",
            f"{where}：{key} 的值“{value}”无效：是否应为“{near}”？可用：{'、'.join(known)}。",
        )


def _refuse(message: str, zh: str) -> DeliveryError:
    return DeliveryError(message, zh=zh)
