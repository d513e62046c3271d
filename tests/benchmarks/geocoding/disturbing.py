"""Ways in which a caller, a typist or a program spoils an address; each seeded, each stated.

Every way is a pure function of a `Saying` and a random stream and returns the spoilt text, or None
where it does not apply (nothing to abbreviate, no figure to spell). `WAYS` names them all.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from opencc import OpenCC
from pypinyin import lazy_pinyin

Stream = np.random.Generator


@dataclass(frozen=True, kw_only=True)
class Saying:
    """A correct text and the words in it that can be spoilt."""

    text: str
    names: tuple[str, ...] = ()
    """Names of roads, compounds, marks as they stand in the text."""
    plate: str = ""
    """Number part as it stands in the text, as in 12号."""
    areas: tuple[str, ...] = ()
    """Areas that hold the place, widest first: 省, 市, 区, 街道, 社区."""
    neighbours: tuple[str, ...] = ()
    """Names of other streets 街道 and communities 社区 of the district."""


Way = Callable[[Saying, Stream], "str | None"]

_WIDE = {ord(c): ord(c) + 0xFEE0 for c in map(chr, range(0x21, 0x7F))}
_NUMERALS = "零一二三四五六七八九"
_GENERICS = (
    "大街", "大道", "胡同", "小区", "花园", "家园", "新村", "嘉园", "名邸", "雅居", "公寓", "社区",
    "路", "街", "巷", "条", "苑", "里",
)  # fmt: skip
_SHORT = (
    (re.compile(r"第([一二三四五六七八九十]+)中学"), r"\1中"),
    (re.compile(r"第([一二三四五六七八九十]+)(小学|医院)"), r"\1\2"),
    (re.compile(r"(商业|农业|工商|建设)银行(.{2,5}(?:路|街|巷))支行$"), r"银行\2支行"),
    (re.compile(r"支行$"), ""),
    (re.compile(r"农商行"), "农商银行"),
    (re.compile(r"大药房$"), "药房"),
    (re.compile(r"购物中心$"), "购物"),
    (re.compile(r"口腔诊所$"), "口腔"),
    (re.compile(r"(超市|便利|烟酒|水果|五金|理发|眼镜|饭店|宾馆|面馆|牛肉板面)店?$"), r"\1"),
    (re.compile(r"幼儿园$"), "幼儿"),
    (re.compile(r"(医院|商场|大厦|市场|公园|文化馆)$"), r"\1"),
)  # fmt: skip
_LOOKALIKES = (
    "末未土士己已日曰人入大太天夭王玉田由甲申干千午牛木本今令乌鸟兔免折拆抡抢沦沧幻幼"
    "治冶泠冷淮准祟崇戌戍洒酒侯候券卷茶荼裸棵睛晴辩辨坏环壁璧撤撒眯咪暖暧贷货拨拔博搏"
    "宁宇安宴平乎丰三福幅康庚泰秦和如兴兵昌晶盛咸文丈华毕光先明朋新亲建健民氏生牛国固"
    "富宫强弦义叉仁仕德得信倍诚城嘉喜祥样瑞端雪雷春舂秋愀长张青肯翠萃金全银根石右河何"
    "清请源原滨宾湖潮云去山出松拾柏拍梅海兰三竹什菊掬荷苛柳卯桃挑杏呆枫沨桂挂梧悟槐愧"
    "榆愉棉绵纺坊铁轶工土农衣学字府附育肓英央才寸星垦月用晨辰曦羲朝潮乐东苑范园圆庭廷"
    "阳阴泉帛塘糖桥挢门问城诚庄压营管固回村材井并里理台合屯囤堡保坡披岭岑沟勾洼注店居"
    "铺埔坊访裕裙中申街衔体休棠裳谈淡翟瞿胜性利刊谊宜维准红江旗棋东车岗岚征证林材单草"
    "曾会家象万方达送北比环坏跃沃进井收牧州洲南甫西酉"
)  # fmt: skip
"""Pairs, one after the other, that are mistaken in reading and in handwriting input."""
_BEFORE = ("麻烦看一下", "就是", "喂你好，", "我在", "请到", "那个，")
_AFTER = ("那边", "旁边", "这儿有问题", "附近", "，麻烦处理一下", "这一块")
_REMARKS = ("（近红绿灯）", "（有人值守）", "(已联系物业)", "（院内）", "(晚上拍的)", "【急】")
_LATIN = re.compile(r"[0-9A-Za-z]+")


def full_width(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 裕华路１２号: figures and Latin letters in full width, 全角."""
    text = saying.text.translate(_WIDE)
    return text if text != saying.text else None


def traditional(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 裕華路12號: traditional characters 繁体."""
    text: str = _traditional().convert(saying.text)
    return text if text != saying.text else None


def numerals(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 裕华路十二号: figures spelt as numerals, as speech recognition writes them."""
    text = re.sub(r"\d+", lambda found: _spelt(int(found[0])), saying.text)
    return text if text != saying.text else None


def homophone(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 玉华路12号: one character of a name by another that sounds alike 同音字."""
    return _with_one(saying, stream, lambda c: _sounding().get(_sound(c), ""))


def lookalike(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 裙华路12号: one character of a name by another that looks alike 形近字."""
    return _with_one(saying, stream, lambda c: _looks().get(c, ""))


def broken_chain(saying: Saying, stream: Stream) -> str | None:
    """长安区青园街道花园社区裕华路12号 -> 石家庄青园裕华路12号: levels left out, generics dropped."""
    if len(saying.areas) < 4:
        return None
    kept = [saying.areas[1], saying.areas[int(stream.integers(3, len(saying.areas)))]]
    return "".join(re.sub(r"(市|街道|社区|村)$", "", area) for area in kept) + saying.text


def wrong_area(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 建北街道裕华路12号: the name of a neighbouring street or community before it."""
    return _pick(saying.neighbours, stream) + saying.text if saying.neighbours else None


def abbreviated(saying: Saying, stream: Stream) -> str | None:
    """石家庄第二中学 -> 石家庄二中: the short form of an institution 简称."""
    for name in saying.names:
        for pattern, short in _SHORT:
            text = pattern.sub(short, name)
            if text != name:
                return saying.text.replace(name, text, 1)
    return None


def no_generic(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 裕华12号: a name without its generic 通名."""
    for name in saying.names:
        for generic in _GENERICS:
            if name.endswith(generic) and len(name) - len(generic) >= 2:
                return saying.text.replace(name, name.removesuffix(generic), 1)
    return None


def swapped(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 华裕路12号: two neighbouring characters of a name in the wrong order."""
    name = _pick(saying.names, stream)
    places = [i for i in range(len(name) - 1) if name[i] != name[i + 1]]
    if not places:
        return None
    i = int(stream.choice(places))
    return saying.text.replace(name, name[:i] + name[i + 1] + name[i] + name[i + 2 :], 1)


def missing(saying: Saying, stream: Stream) -> str | None:
    """建设大街12号 -> 建大街12号: one character of a name is missing."""
    name = _pick([n for n in saying.names if len(n) > 2], stream)
    if not name:
        return None
    i = int(stream.integers(len(name)))
    return saying.text.replace(name, name[:i] + name[i + 1 :], 1)


def added(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 裕新华路12号: one character too many in a name."""
    name = _pick(saying.names, stream)
    if not name:
        return None
    i = int(stream.integers(len(name)))
    extra = str(stream.choice(list("新老大小东西南北中一的了")))
    return saying.text.replace(name, name[:i] + extra + name[i:], 1)


def wrapped(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 麻烦看一下裕华路12号那边: words of speech around it."""
    return _pick(_BEFORE, stream) + saying.text + _pick(_AFTER, stream)


def remarked(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> 裕华路12号（院内）: a remark in brackets."""
    return saying.text + _pick(_REMARKS, stream)


def reordered(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号老王面馆 -> 老王面馆裕华路12号: the parts in the order of speech."""
    if saying.plate and saying.text.endswith(saying.plate):
        return saying.plate + "，" + saying.text.removesuffix(saying.plate)
    if len(saying.names) == 2:
        one, two = saying.names
        marked = saying.text.replace(one, "\0", 1).replace(two, one, 1)
        return marked.replace("\0", two, 1)
    return None


def pinyin(saying: Saying, stream: Stream) -> str | None:
    """裕华路12号 -> yuhualu12号: a name typed in Hanyu Pinyin, without tones."""
    name = _pick(saying.names, stream)
    return saying.text.replace(name, "".join(lazy_pinyin(name)), 1) if name else None


WAYS: Mapping[str, Way] = {
    way.__name__: way
    for way in (
        full_width, traditional, numerals, homophone, lookalike, broken_chain, wrong_area,
        abbreviated, no_generic, swapped, missing, added, wrapped, remarked, reordered, pinyin,
    )
}  # fmt: skip
"""All ways, in the order of the table."""


def disturb(saying: Saying, way: str, *, seed: int) -> str | None:
    """Return the text spoilt in one of the `WAYS`; None where it does not apply.

    Examples
    --------
    >>> saying = Saying(text="裕华路12号", names=("裕华路",), plate="12号")
    >>> [disturb(saying, way, seed=1) for way in ("full_width", "traditional", "numerals")]
    ['裕华路１２号', '裕華路12號', '裕华路十二号']
    >>> [disturb(saying, way, seed=1) for way in ("no_generic", "reordered", "pinyin")]
    ['裕华12号', '12号，裕华路', 'yuhualu12号']
    """
    stream = np.random.default_rng([seed, *saying.text.encode()])
    text = WAYS[way](saying, stream)
    return None if text == saying.text else text


def _pick(words: "tuple[str, ...] | list[str]", stream: Stream) -> str:
    return words[int(stream.integers(len(words)))] if len(words) else ""


def _with_one(saying: Saying, stream: Stream, others: Callable[[str], str]) -> str | None:
    """Replace one character of a name's specific part, one that has others."""
    places = []
    for name in saying.names:
        stem = len(name) - len(_generic(name))
        places += [
            (name, i, other)
            for i in range(stem)
            if (other := "".join(c for c in others(name[i]) if c != name[i]))
        ]
    if not places:
        return None
    name, i, other = places[int(stream.integers(len(places)))]
    spoilt = name[:i] + _pick(list(other), stream) + name[i + 1 :]
    return saying.text.replace(name, spoilt, 1)


def _generic(name: str) -> str:
    return next((g for g in _GENERICS if name.endswith(g) and len(name) > len(g)), "")


def _spelt(number: int) -> str:
    if number >= 1000:
        return "".join(_NUMERALS[int(digit)] for digit in str(number))
    hundreds, tens, ones = number // 100, number // 10 % 10, number % 10
    text = f"{_NUMERALS[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else _NUMERALS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (_NUMERALS[ones] if ones or not text else "")


@cache
def _traditional() -> Any:
    return OpenCC("s2t")


@cache
def _looks() -> dict[str, str]:
    looks: dict[str, str] = {}
    for pair in zip(_LOOKALIKES[::2], _LOOKALIKES[1::2], strict=True):
        for one, other in (pair, pair[::-1]):
            looks[one] = looks.get(one, "") + other
    return looks


@cache
def _sound(character: str) -> str:
    return str(lazy_pinyin(character)[0])


@cache
def _sounding() -> dict[str, str]:
    """Sound without tone -> the 3,755 common characters (GB/T 2312 level 1) of that sound."""
    sounds: dict[str, str] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            character = bytes((high, low)).decode("gb2312", errors="ignore")
            if character:
                sounds[_sound(character)] = sounds.get(_sound(character), "") + character
    return sounds
