"""Invented but believable names of roads, compounds, shops and areas, each given out once."""

import itertools
from collections.abc import Iterator

import numpy as np

AVENUES_EAST_WEST = (
    "裕华路", "中山路", "和平路", "建华路", "光明路", "北二环路", "槐安路", "南二环路", "新石路", "古城路",
    "石纺路", "跃进路", "丰收路", "青园路", "滹沱路", "长丰路", "正定路", "朝阳路", "重庆路", "乐亭路",
    "六安路", "厦门路", "蔚州路", "行唐路",
)  # fmt: skip
AVENUES_NORTH_SOUTH = (
    "建设大街", "体育大街", "中华大街", "平安大街", "谈固大街", "翟营大街", "青园大街", "胜利大街", "广安大街",
    "育才大街", "友谊大街", "维明大街", "红旗大街", "东岗大街", "长征大街", "柏林大街", "单城大街", "曾家大街",
    "万达大街", "方北大街",
)  # fmt: skip
_FIRST = (
    "东西南北安平永丰福寿康宁泰和兴隆昌盛文华光明新建民生国富强正义仁德信诚嘉祥瑞雪春秋长青翠玉金银"
    "石河清源滨湖云山松柏梅兰竹菊荷柳桃杏枫桂梧槐榆棉纺铁工农学府育英才星月晨曦朝阳乐天"
)
_SECOND = (
    "安平丰福康宁泰和兴盛文华光明新建民生富强义德信诚祥瑞春青翠玉金石河清源湖云山松柏梅兰竹菊荷柳桃杏"
    "枫桂槐苑园庭阳乐泉塘桥门城庄营固村井里台屯堡坡岭沟洼店铺坊府"
)
_COMPOUNDS = ("小区", "花园", "家园", "苑", "新村", "嘉园", "名邸", "雅居", "公寓", "里")
_INSTITUTES = (
    "棉一宿舍", "棉三宿舍", "省建二公司宿舍", "市运输公司宿舍", "铁路局宿舍", "市第一印染厂宿舍",
    "省科学院宿舍", "地质勘察院宿舍", "电力设计院宿舍", "市自来水公司宿舍", "粮食局宿舍", "拖拉机厂宿舍",
)  # fmt: skip
_SHOPS = (
    "{0}超市", "{0}大药房", "{0}饭店", "{0}宾馆", "{0}面馆", "{0}便利店", "{0}理发店", "{0}五金店",
    "{0}幼儿园", "{0}烟酒店", "{0}牛肉板面", "{0}眼镜店", "{0}口腔诊所", "{0}网吧", "{0}水果店",
)  # fmt: skip
_BANKS = ("中冀银行", "燕赵农商行", "滹沱村镇银行", "邯石商业银行")


class Names:
    """Gives out names; the same seed gives the same names in the same order."""

    def __init__(self, stream: np.random.Generator) -> None:
        self._stream = stream
        self._east_west = iter(AVENUES_EAST_WEST)
        self._north_south = iter(AVENUES_NORTH_SOUTH)
        self._institutes = iter(_INSTITUTES)
        self._stems = self._pairs()
        self._shops: set[str] = set()

    def _pairs(self) -> Iterator[str]:
        pairs = [a + b for a, b in itertools.product(_FIRST, _SECOND) if a != b]
        taken = {name[:2] for name in AVENUES_EAST_WEST + AVENUES_NORTH_SOUTH}
        pairs = [pair for pair in dict.fromkeys(pairs) if pair not in taken]
        order = self._stream.permutation(len(pairs))
        for suffix in ("", *"东西南北中前后上下内外"):
            for index in order:
                yield pairs[index] + suffix

    def stem(self) -> str:
        """Return a stem of two or three characters that no other name has."""
        return next(self._stems)

    def avenue(self, axis: str) -> str:
        """Return the name of an arterial: 路 runs east-west, 大街 north-south."""
        known = self._east_west if axis == "EW" else self._north_south
        suffix = "路" if axis == "EW" else "大街"
        return next(known, None) or self.stem() + suffix

    def road(self, axis: str, *, rank: int) -> str:
        """Return the name of a secondary road (1), branch (2) or lane (3)."""
        if rank == 3:
            suffix = str(self._stream.choice(["胡同", "巷", "巷", "条"]))
        elif axis == "EW":
            suffix = "路" if rank == 1 or self._stream.uniform() < 0.6 else "巷"
        else:
            suffix = "街"
        return self.stem() + suffix

    def compound(self) -> str:
        """Return the name of a gated compound."""
        if self._stream.uniform() < 0.15:
            institute = next(self._institutes, None)
            if institute:
                return institute
        return self.stem() + str(self._stream.choice(_COMPOUNDS))

    def shop(self, road: str) -> str:
        """Return the name of a shop, bank or inn on `road`, unique in the district."""
        for _ in range(9):
            if self._stream.uniform() < 0.2:
                name = f"{self._stream.choice(_BANKS)}{road}支行"
            else:
                stem = _FIRST[self._stream.integers(len(_FIRST))]
                stem += _SECOND[self._stream.integers(len(_SECOND))]
                name = str(self._stream.choice(_SHOPS)).format(stem)
            if name not in self._shops:
                break
            name = f"{name}（{road}店）"
            if name not in self._shops:
                break
        self._shops.add(name)
        return name
