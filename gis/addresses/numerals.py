"""Chinese numerals 数字: in figures where they count, in characters where they name."""

import re

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_TENS = {"廿": 20, "卅": 30}
_CHARACTERS = "零一二三四五六七八九"
_JUXTAPOSED = re.compile(r"[零一二两三四五六七八九]{2,}")
_ABOUT = re.compile(r"([一二两三四五六七八])([二三四五六七八九])([十百千])")

_NUMERAL = r"[零一二两三四五六七八九十廿卅][零一二两三四五六七八九十百千廿卅]{0,11}"
_SURE = "号|弄|室|栋|幢|单元|公里|千米|米|里地|[多来余几](?:米|公里|千米)|[国省县乡]道"
_PLAIN = "层|楼|巷|支弄|支巷|户"
_COUNTED = re.compile(
    rf"(?P<before>第?)(?P<said>{_NUMERAL})"
    rf"(?=(?P<unit>(?P<sure>{_SURE})|(?P<plain>{_PLAIN})|(?P<section>段)|(?P<group>[组队社邻屯])))"
)
_ORDERED = re.compile(
    r"第(?P<ordinal>\d{1,3})(?![\d/\-])(?P<unit>层|楼|单元|室|栋|幢|座)?"
    r"|(?P<said>\d+)(?=(?P<road>路|街|大街|大道|道[街口]|马路|经路|纬路|环|条|胡同|村|区|期|里(?!地|程|路))"
    r"|(?:中|小|院|中院|医院|幼)(?:$|[东南西北对门旁附]))"
)
_ROADS = "路街道线"
_VILLAGES = "村队区里屯社庄寨"
_AREAS = "省市区县"
_SIGNS = ("/", ".", "-")
_LONGEST_ORDINAL = 2


def figures(numeral: str) -> str:
    """Return a Chinese numeral in figures.

    Two neighbouring figures before 十, 百, 千 mean something between them.

    Examples
    --------
    >>> [figures(text) for text in ("三", "十二", "二十", "一百零八", "一二八", "两千", "廿三")]
    ['3', '12', '20', '108', '128', '2000', '23']
    >>> figures("五六十"), figures("一百二"), figures("一千零五十")
    ('55', '120', '1050')
    """
    about = _ABOUT.fullmatch(numeral)
    if about:
        low, high = _DIGITS[about[1]], _DIGITS[about[2]]
        return str((low + high) * _UNITS[about[3]] // 2)
    if not any(c in _UNITS or c in _TENS for c in numeral):
        return "".join(str(_DIGITS[c]) for c in numeral)
    total, digit, unit = 0, 0, 1
    for character in numeral:
        if character in _TENS:
            total, digit, unit = total + _TENS[character], 0, 10
        elif character in _UNITS:
            unit = _UNITS[character]
            total, digit = total + (digit or 1) * unit, 0
        else:
            digit = _DIGITS[character]
            unit = 1 if character == "零" else unit
    # 一百二 is a hundred and twenty, 一百零二 a hundred and two, 十二 twelve.
    return str(total + digit * (unit // 10 if unit >= 100 else 1))


def numeral(number: int) -> str:
    """Return a number below 1,000 as a Chinese numeral, as ordinals of names are written.

    Examples
    --------
    >>> [numeral(number) for number in (0, 2, 10, 12, 32, 105, 110)]
    ['零', '二', '十', '十二', '三十二', '一百零五', '一百一十']
    """
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = _CHARACTERS[hundreds] + "百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else _CHARACTERS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (_CHARACTERS[ones] if ones or not number else "")


def write_numbers(text: str) -> str:
    """Return a text with the numbers that count in figures, those that name in characters.

    Plates, lanes, buildings, storeys, rooms, sections and distances count; roads, schools, estates
    are named. 八一巷, 二七楼 are names: figures that stand side by side count only before 号, 弄,
    室, 栋, 单元 and distances.

    Examples
    --------
    >>> write_numbers("中山2路二十三号三层"), write_numbers("国华街二段一百五十三巷")
    ('中山二路23号3层', '国华街2段153巷')
    >>> write_numbers("八一街三里屯五一路第3小学"), write_numbers("八一巷"), write_numbers("一零七国道")
    ('八一街三里屯五一路第三小学', '八一巷', '107国道')
    """
    return _ORDERED.sub(_order, _COUNTED.sub(_count, text))


def _count(found: re.Match[str]) -> str:
    said: str = found["said"]
    before = found.string[found.start() - 1 : found.start()]
    if found["sure"] and before != "几":
        counts = not found["before"]
    elif _JUXTAPOSED.search(said) or before == "几":
        counts = False
    else:
        places = _ROADS if found["section"] else _VILLAGES if found["group"] else ""
        counts = bool(found["plain"] or (before and before in places))
    if not counts:
        return found[0]
    # 12号之3七楼: two numbers, not one.
    return ("/" if before.isdigit() else "") + figures(said)


def _order(found: re.Match[str]) -> str:
    if found["ordinal"]:
        number = found["ordinal"]
        return number + found["unit"] if found["unit"] else "第" + numeral(int(number))
    said: str = found["said"]
    before = found.string[found.start() - 1 : found.start()]
    if len(said) > _LONGEST_ORDINAL or said[0] == "0" or before in _SIGNS:
        return said
    if not before:
        return numeral(int(said))
    # A school's number stands alone or after an area; a road's after any character.
    named = not before.isascii() if found["road"] else before in _AREAS
    return numeral(int(said)) if named else said
