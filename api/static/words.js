// The words of the page in both languages; what the server says is already in the right one.

const WORDS = {
  zh: {
    skip: "跳到地图", documentation: "接口文档", otherLanguage: "English", kind: "案件类型",
    component: "部件", event: "事件", class: "类别", placeOnly: "不限类别（只查位置）",
    layers: "图层", search: "查找地址、地名、小区、网格编码…", nothingFound: "没有找到",
    hint: "点击地图上任意位置，查询所在网格与责任单位。", hintKeys: "键盘：方向键移动地图，Enter 查询中心点。",
    owner: "责任单位", noOwner: "没有责任单位", grid: "单元网格", areas: "行政区域", district: "区县",
    street: "街道", community: "社区", partTitle: "部件", position: "位置", trace: "判定过程",
    probability: "把握", code: "编码", name: "名称", share: "落在网格内", edge: "距网格边界",
    outside: "在网格之外", boundary: "位于网格公共边上，归编码最小者", distance: "距离",
    condition: "状态", others: "其他可能", limit: "处置时限", rule: "依据", coordinates: "经纬度",
    local: "本地坐标", accuracy: "中误差", address: "地址", review: "需人工复核", version: "数据版本",
    copyLink: "复制链接", copy: "复制", eventLocation: "事发位置", whichOne: "有多个可能，请选择：", copied: "已复制", noPart: "附近没有该类部件", places: "地点",
    keyTitle: "需要 API 密钥", keyText: "本服务器要求密钥。密钥只保存在此标签页中。", ok: "确定", cancel: "取消",
    offline: "无法连接服务器。", baseAway: "数据库暂不可用：底图图层暂停显示，查询仍由快照应答。",
    close: "关闭", noWebgl: "此浏览器无法显示地图（WebGL 不可用）；仍可搜索地点进行查询。",
    loading: "查询中…",
    management: "管理网格", evaluation: "评价网格", noTrade: "管理网格：不显示", day: "截至日期", unitUnknown: "未填责任单位",
    roles: { maintainer: "养护单位", owner: "权属单位", competent: "主管部门", handler: "处置单位", territorial: "属地单位" },
    principles: { owner_first: "先属主、后属地", territory_first: "先属地、后属主" },
    units: { emergency_hour: "紧急工作时", working_hour: "工作时", working_day: "工作日", calendar_day: "自然日" },
    othersTitle: "也可能是", filing: "立案条件", closing: "结案条件", road: "界路", sharing: "分管方式", answers: "负责一侧",
    otherSide: "另一侧", joint: "共管单位", nobodyAnswers: "规则不完整，按所在区域判定",
    causes: { place: "接边", component: "交叉（部件）", record: "交叉（方案）", dispute: "权属争议", conflict: "方案冲突" },
    sharings: { side: "按侧", odd_even: "单双日", joint: "共管" },
    persons: { district: "区级责任人", street: "街道责任人", grid: "网格责任人" },
    conditions: { intact: "完好", damaged: "破损", lost: "丢失", abandoned: "废弃", removed: "移除", occupied: "占用", unknown: "不详" },
    sources: { component_code: "部件编码", position: "坐标", address: "地址", none: "无" },
    kinds: { area: "区域", zone: "地片", block: "小区", street: "街巷", plate: "门牌", poi: "兴趣点", crossing: "路口", areas: "区域", grids: "单元网格", components: "部件" },
    layer: {
      orthophoto: "正射影像", base: "基础地形", areas: "行政区域", grids: "单元网格", components: "部件", names: "地名",
    },
  },
  en: {
    skip: "Skip to the map", documentation: "API", otherLanguage: "中文", kind: "Case", component: "Component",
    event: "Event", class: "Class", placeOnly: "Any class (place only)", layers: "Layers",
    search: "Address, place, block, grid code…", nothingFound: "Nothing found",
    hint: "Click anywhere on the map for its unit grid and owning unit.",
    hintKeys: "Keyboard: arrow keys move the map, Enter asks for its centre.",
    owner: "Owning unit", noOwner: "No owning unit", grid: "Unit grid", areas: "Areas", district: "District",
    street: "Street", community: "Community", partTitle: "Component", position: "Position", trace: "How it was decided",
    probability: "Sure", code: "Code", name: "Name", share: "Inside this grid", edge: "To its edge",
    outside: "Outside every grid", boundary: "On a shared edge: the lowest code holds it", distance: "Distance",
    condition: "Condition", others: "Others possible", limit: "Time limit", rule: "Rule", coordinates: "Lon, lat",
    local: "Local x, y", accuracy: "Standard deviation", address: "Address", review: "Needs review", version: "Data version",
    copyLink: "Copy link", copy: "Copy", eventLocation: "In words", whichOne: "It may be one of these:", copied: "Copied", noPart: "No component of this class near", places: "Places",
    keyTitle: "An API key is needed", keyText: "This server asks for a key. It is kept in this tab only.", ok: "OK",
    cancel: "Cancel", offline: "The server can not be reached.",
    baseAway: "The database is away: map layers pause, lookups go on from the snapshot.", close: "Close",
    noWebgl: "This browser can not show the map (no WebGL); searching for a place still works.",
    loading: "Asking…",
    management: "Management grids", evaluation: "Evaluation grids", noTrade: "Management grids: none", day: "As of", unitUnknown: "no unit named",
    roles: { maintainer: "maintainer", owner: "property owner", competent: "competent department", handler: "handler", territorial: "territorial unit" },
    principles: { owner_first: "owner first", territory_first: "territory first" },
    units: { emergency_hour: "emergency hours", working_hour: "working hours", working_day: "working days", calendar_day: "calendar days" },
    othersTitle: "It may also be", filing: "Filed when", closing: "Closed when", road: "Boundary road", sharing: "Shared",
    answers: "Answers", otherSide: "Other side", joint: "Jointly with", nobodyAnswers: "the rule is not whole: the areas here answer",
    causes: { place: "edge", component: "component", record: "plan", dispute: "dispute", conflict: "conflict" },
    sharings: { side: "by side", odd_even: "odd and even days", joint: "jointly" },
    persons: { district: "District person", street: "Street person", grid: "Grid person" },
    conditions: {},
    sources: { component_code: "component code", position: "position", address: "address", none: "none" },
    kinds: { areas: "area", grids: "unit grid", components: "component" },
    layer: {
      orthophoto: "Orthophoto", base: "Base map", areas: "Areas", grids: "Unit grids", components: "Components", names: "Place names",
    },
  },
};

let language = "zh";

export const currentLanguage = () => language;

export function setLanguage(name) {
  language = name === "en" ? "en" : "zh";
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const place of document.querySelectorAll("[data-text]")) {
    place.textContent = word(place.dataset.text);
  }
}

export function word(name, group = null) {
  const table = group === null ? WORDS[language] : WORDS[language][group];
  return table[name] ?? name;
}
