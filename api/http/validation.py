"""What is wrong with a request, told field by field in the client's language."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.http.language import Language
from gis.caseids import CASE_ID

_SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("{field} is missing", "缺少 {field}"),
    "extra_forbidden": ("{field} is not known here", "不支持的字段 {field}"),
    "float_parsing": ("{field} must be a number", "{field} 必须是数值"),
    "float_type": ("{field} must be a number", "{field} 必须是数值"),
    "finite_number": ("{field} must be a finite number", "{field} 必须是有限数值"),
    "int_parsing": ("{field} must be a whole number", "{field} 必须是整数"),
    "int_type": ("{field} must be a whole number", "{field} 必须是整数"),
    "bool_parsing": ("{field} must be true or false", "{field} 必须是 true 或 false"),
    "string_type": ("{field} must be text", "{field} 必须是文本"),
    "string_too_short": (
        "{field} must have at least {min_length} characters",
        "{field} 至少需要 {min_length} 个字符",
    ),
    "string_too_long": (
        "{field} must have at most {max_length} characters",
        "{field} 最多 {max_length} 个字符",
    ),
    "string_nul": (
        "{field} has the character NUL; leave it out",
        "{field} 含有空字符（NUL），请删除",
    ),
    "string_unicode": ("{field} is not valid Unicode", "{field} 不是有效的 Unicode 文本"),
    "string_pattern_mismatch": (
        "{field} does not follow its pattern {pattern}",
        "{field} 不符合格式 {pattern}",
    ),
    "literal_error": ("{field} must be {expected}", "{field} 只能是 {expected}"),
    "enum": ("{field} must be {expected}", "{field} 只能是 {expected}"),
    "greater_than": ("{field} must be greater than {gt}", "{field} 必须大于 {gt}"),
    "greater_than_equal": ("{field} must be at least {ge}", "{field} 不能小于 {ge}"),
    "less_than": ("{field} must be less than {lt}", "{field} 必须小于 {lt}"),
    "less_than_equal": ("{field} must be at most {le}", "{field} 不能大于 {le}"),
    "date_from_datetime_parsing": ("{field} must be a date as 2026-05-31", "{field} 须为日期"),
    "date_parsing": ("{field} must be a date as 2026-05-31", "{field} 须为日期，如 2026-05-31"),
    "datetime_parsing": (
        "{field} must be a time as 2026-05-31T08:00:00+08:00",
        "{field} 须为时间，如 2026-05-31T08:00:00+08:00",
    ),
    "datetime_from_date_parsing": (
        "{field} must be a time as 2026-05-31T08:00:00+08:00; in an address the sign + is written %2B",
        "{field} 须为时间，如 2026-05-31T08:00:00+08:00；网址中的加号须写作 %2B",
    ),
    "timezone_aware": (
        "{field} must state its time zone, as 2026-05-31T08:00:00+08:00",
        "{field} 须带时区，如 2026-05-31T08:00:00+08:00",
    ),
    "crs": (
        "{field} {crs!r} is not known: write EPSG:4326, EPSG:4490, another EPSG code, GCJ-02,"
        " BD-09, or city for the city's own",
        "{field} {crs!r} 无法识别：可用 EPSG:4326、EPSG:4490 等 EPSG 编号、GCJ-02、BD-09，或 city（本市坐标系）",
    ),
    "viewbox": (
        "{field} must be four numbers: west, south, east, north in degrees",
        "{field} 必须是四个数：西、南、东、北（度）",
    ),
    "json_invalid": ("the body is not valid JSON ({error})", "请求内容不是有效的 JSON（{error}）"),
    "model_attributes_type": ("{field} must be a JSON object", "{field} 必须是 JSON 对象"),
    "dict_type": ("{field} must be a JSON object", "{field} 必须是 JSON 对象"),
    "list_type": ("{field} must be a JSON array", "{field} 必须是 JSON 数组"),
    "too_short": (
        "{field} must have at least {min_length} items",
        "{field} 至少需要 {min_length} 项",
    ),
    "too_long": ("{field} must have at most {max_length} items", "{field} 最多 {max_length} 项"),
}
CLASS_CODE = r"^\d{4,5}$"
"""Pattern of a minor class 小类; whether there is one is another question."""
_PATTERNS: dict[str, tuple[str, str]] = {
    CLASS_CODE: (
        "{field} must be a minor class, four or five digits as 0102: /v1/classes lists them",
        "{field} 须为小类代码，四位或五位数字，如 0102：可用 /v1/classes 查看",
    ),
    CASE_ID: (
        "{field} must have 1 to 64 signs, no blanks or slashes among them",
        "{field} 须为 1 至 64 个字符，不含空格和斜杠",
    ),
}
"""Patterns that are told in words."""
_PLACES = ("query", "path", "body", "header")


def describe_faults(
    faults: Sequence[Mapping[str, Any]], *, language: Language
) -> list[dict[str, str]]:
    """Return one entry per fault of a request: which field, which rule, and a sentence.

    Parameters
    ----------
    faults : sequence of mapping
        Faults as pydantic tells them: ``type``, ``loc``, ``msg``, ``ctx``.
    language : {"en", "zh"}
        Language of the sentences; a rule without a Chinese sentence is told in English.

    Examples
    --------
    >>> fault = {"type": "missing", "loc": ("query", "x"), "msg": "Field required"}
    >>> describe_faults([fault], language="zh")
    [{'field': 'x', 'rule': 'missing', 'message': '缺少 x'}]
    >>> fault = {"type": "string_pattern_mismatch", "loc": ("body", "case_id"), "ctx": {"pattern": CASE_ID}}
    >>> describe_faults([fault], language="en")[0]["message"]
    'case_id must have 1 to 64 signs, no blanks or slashes among them'
    >>> fault = {"type": "too_short", "loc": ("query", "q"), "input": "", "ctx": {"min_length": 1}}
    >>> describe_faults([fault], language="en")[0]["message"]
    'q must have at least 1 characters'
    >>> fault = {"type": "string_pattern_mismatch", "loc": ("query", "class_code"), "ctx": {"pattern": CLASS_CODE}}
    >>> describe_faults([fault], language="zh")[0]["message"]
    'class_code 须为小类代码，四位或五位数字，如 0102：可用 /v1/classes 查看'
    >>> fault = {"type": "literal_error", "loc": ("body", "kind"), "ctx": {"expected": "'component' or 'event'"}}
    >>> describe_faults([fault], language="zh")[0]["message"]
    "kind 只能是 'component' 或 'event'"
    >>> fault = {"type": "json_invalid", "loc": ("body", 11), "ctx": {"error": "Expecting value"}}
    >>> describe_faults([fault], language="en")[0]["field"]
    'body'
    """
    return [_describe(fault, language) for fault in faults]


def _describe(fault: Mapping[str, Any], language: Language) -> dict[str, str]:
    rule = str(fault["type"])
    if rule in ("too_short", "too_long") and isinstance(fault.get("input"), str):
        rule = f"string_{rule}"  # as pydantic names it where nothing else looks at the text first
    place = list(fault.get("loc", ()))
    if place and place[0] in _PLACES:
        place = place[1:]
    if rule == "json_invalid":  # of a text that is no JSON the place is a number of letters
        place = [part for part in place if not isinstance(part, int)]
    field = ".".join(str(part) for part in place) or "body"
    pair = _PATTERNS.get(fault.get("ctx", {}).get("pattern")) or _SENTENCES.get(rule)
    if pair is None:
        message = f"{field}: {fault.get('msg', rule)}"
    else:
        values = {name: value for name, value in fault.get("ctx", {}).items() if name != "field"}
        if language == "zh" and "expected" in values:
            values["expected"] = str(values["expected"]).replace(", ", "、").replace(" or ", " 或 ")
        message = pair[1 if language == "zh" else 0].format(field=field, **values)
    return {"field": field, "rule": rule, "message": message}
