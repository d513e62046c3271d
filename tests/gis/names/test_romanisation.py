import pytest

from gis.names.romanisation import romanise


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        # specific and generic part apart, capitals
        ("裕华路", "Yuhua Lu"),
        ("长安公园", "Chang'an Gongyuan"),
        ("重庆", "Chongqing"),
        ("石家庄长安区", "Shijiazhuang Chang'an Qu"),
        ("石家庄市长安区", "Shijiazhuang Shi Chang'an Qu"),
        ("六安", "Lu'an"),
        ("蚌埠", "Bengbu"),
        ("厦门", "Xiamen"),
        ("陕西省", "Shaanxi Sheng"),
        ("呼和浩特市", "Hohhot Shi"),
        ("乐亭县", "Laoting Xian"),
        ("朝阳大街", "Chaoyang Dajie"),
        ("长治路", "Changzhi Lu"),
        ("单县", "Shan Xian"),
        ("吕梁", "Lüliang"),
        ("西安路", "Xi'an Lu"),
        # a direction of one syllable joins the generic part, but not the specific part's own
        ("建设北大街", "Jianshe Beidajie"),
        ("南京西路", "Nanjing Xilu"),
        ("湖北路", "Hubei Lu"),
        ("河北大街", "Hebei Dajie"),
        # figures: ordinals of streets yes, names no
        ("大川淀二巷", "Dachuandian 2 Xiang"),
        ("东四十二条", "Dongsi 12 Tiao"),
        ("第九弄", "Di-9 Long"),
        ("二环路", "2 Huanlu"),
        ("中山东一路", "Zhongshan Dong 1 Lu"),
        ("五四路", "Wusi Lu"),
        # villages are one word
        ("王村", "Wangcun"),
        ("曾家庄", "Zengjiazhuang"),
        # parts, buildings, crossings
        ("长安小区12号院", "Chang'an Xiaoqu 12 Haoyuan"),
        ("绿地3号楼", "Lüdi 3 Haolou"),
        ("A座", "A Zuo"),
        ("槐安路与建设大街路口", "Huai'an Lu yu Jianshe Dajie Lukou"),
        ("上海城小区", "Shanghaicheng Xiaoqu"),
    ],
)
def test_names_are_spelt_by_the_rules(name, spelling):
    assert romanise(name) == spelling


def test_a_name_that_begins_with_one_of_the_citys_areas_is_parted():
    assert romanise("长安区裕华路", areas={"长安区"}) == "Chang'an Qu Yuhua Lu"


def test_a_text_that_is_no_name_is_one_word() -> None:
    # Parted like a name it would be taken apart as many times as it has roads.
    assert romanise("河北路口" * 1000) == "Hebeilukou" + "hebeilukou" * 999
