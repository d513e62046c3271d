"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const WORDS = {
  states: { zh: ["一个单位", "无责任单位", "时段空缺", "责任冲突", "时段重叠"], en: ["one owner", "hole", "gap in time", "conflict", "overlapping times"] },
  levels: { zh: { street: "街道与方案范围", community: "社区与方案范围" }, en: { street: "streets and drawn areas", community: "communities and drawn areas" } },
  heads: { zh: ["行", "角色", "单位", "类别", "区域", "季节 / 时段 / 日期", "时限", "表中行"], en: ["row", "role", "unit", "class", "area", "season / hours / days", "limit", "sheet row"] },
  sharing: { zh: { side: "按侧", odd_even: "单双日", joint: "共管" }, en: { side: "by side", odd_even: "odd/even days", joint: "joint" } },
  kinds: { zh: { polygon: "范围面", road_section: "路段", boundary_road: "界路" }, en: { polygon: "polygon", road_section: "road section", boundary_road: "boundary road" } },
};
const ROLES = { handler: "处置", competent: "主管", owner: "权属", maintainer: "养护", territorial: "属地" };
let language = "zh";
const all_findings = [...data.findings, ...data.findings_ahead];
const is_later = (finding) => finding.first_day > data.as_of;
const holds = (row, day) => (!row.begins_on || row.begins_on <= day) && (!row.ends_on || day <= row.ends_on);
const tell = (name) => WORDS[name][language];
const make = (tag, text, css) => { const node = document.createElement(tag); if (text !== undefined) node.textContent = text; if (css) node.className = css; return node; };
const name_of = (code) => (code === "*" ? (language === "zh" ? "全域" : "everywhere") : data.names[code] || code);

function show_counts() {
  const lines = language === "zh"
    ? [`读入 ${data.lines_read} 行，不合格 ${data.lines_refused} 行`, `方案 ${data.rows} 行，范围 ${data.plan_areas} 个`, `类别 ${data.classes.component + data.classes.event} 个 × 不同地点 ${data.places} 处 × 不同时刻 ${data.moments} 种`]
    : [`${data.lines_read} lines read, ${data.lines_refused} refused`, `${data.rows} rows, ${data.plan_areas} drawn areas`, `${data.classes.component + data.classes.event} classes × ${data.places} different places × ${data.moments} different times`];
  if (data.days_not_judged.length) lines.push(language === "zh" ? `${data.days_not_judged[0]} 及以后的 ${data.days_not_judged.length} 天未检查，请用 --as-of 检查` : `${data.days_not_judged.length} day(s) of change from ${data.days_not_judged[0]} on were not judged: use --as-of`);
  at("counts").replaceChildren(...lines.concat(language === "zh" ? data.remarks_zh : data.remarks).map((line) => make("li", line)));
}

function show_findings() {
  at("found").textContent = all_findings.length || "";
  at("findings").tBodies[0].replaceChildren(...all_findings.map((finding) => {
    const row = make("tr");
    const first = make("td");
    first.append(make("b", language === "zh" ? finding.what_zh : finding.what_en, finding.what === "never" || is_later(finding) ? "warning" : "error"));
    if (is_later(finding)) first.append(make("small", finding.first_day));
    const kinds = { zh: { component: "部件", event: "事件" }, en: { component: "component", event: "event" } };
    row.append(first, make("td", finding[language]), make("td", kinds[language][finding.kind]));
    row.addEventListener("click", () => go_to(finding));
    return row;
  }));
  at("contradicted").textContent = data.contradictions.length || "";
  at("contradictions").tBodies[0].replaceChildren(...data.contradictions.map((each) => {
    const row = make("tr");
    const shown = each.area_names.slice(0, 6).join("、") + (each.area_names.length > 6 ? "…" : "");
    const areas = make("td", shown);
    areas.title = each.area_names.join("、");
    const count = make("td", each.components, "n");
    count.title = each.examples.join("、");
    const rows = make("td", each.rows.join("、") + (each.times ? ` (${each.times})` : ""));
    row.append(make("td", each.class_name), areas, make("td", language === "zh" ? each.role_zh : each.role), make("td", each.unit_name), make("td", each.plan_unit_name), rows, count);
    return row;
  }));
  at("faulted").textContent = data.faults.length || "";
  at("faults").tBodies[0].replaceChildren(...data.faults.map((fault) => {
    const row = make("tr");
    const rule = make("td");
    rule.append(make("b", fault.rule, fault.severity));
    row.append(make("td", fault.file.split("|").pop()), make("td", fault.row, "n"), rule, make("td", fault[`reason_${language}`]));
    return row;
  }));
}

function go_to(finding) {
  at("kind").value = finding.kind;
  at("faulty").checked = false;
  at("minor").checked = true;
  show_matrix();
  const line = data.matrix.find((each) => each.kind === finding.kind && finding.classes.some((code) => each.code.startsWith(code) || code === "*"));
  if (!line) return;
  const columns = shown_columns();
  const column = columns.find((each) => finding.areas.includes(each.code)) || columns.find((each) => finding.areas.some((code) => each.code.startsWith(code) || code.startsWith(each.code))) || columns[0];
  if (column) explain([line], column, finding);
  at("detail").scrollIntoView({ block: "center" });
}

function shown_columns() {
  const size = at("level").value === "street" ? 9 : 12;
  const drawn = new Set(data.map.drawn.map((each) => each.code));
  return data.columns.filter((column) => drawn.has(column.code) || column.code.length === size);
}

const RANK = [0, 4, 3, 2, 1];
function worst(lines, places) {
  let state = 0;
  for (const line of lines) for (const place of places) { const own = Number(line.states[place]); if (RANK[own] > RANK[state]) state = own; }
  return state;
}

function show_matrix() {
  const columns = shown_columns();
  const lines = data.matrix.filter((line) => line.kind === at("kind").value);
  const table = make("table");
  const head = table.createTHead().insertRow();
  head.append(make("th", ""));
  for (const column of columns) { const cell = make("th", undefined, "up"); const text = make("span", column.name); cell.title = `${column.code} ${column.name}`; cell.append(text); head.append(cell); }
  const body = table.createTBody();
  const add = (title, css, own) => {
    const states = columns.map((column) => worst(own, column.places));
    if (at("faulty").checked && !states.some(Boolean)) return;
    const row = body.insertRow();
    row.className = css;
    const name = make("td", title, "name");
    name.title = title;
    row.append(name);
    states.forEach((state, number) => {
      const cell = make("td", undefined, `s s${state}`);
      cell.title = `${title} · ${columns[number].name}: ${tell("states")[state]}`;
      cell.addEventListener("click", () => { table.querySelectorAll(".chosen").forEach((each) => each.classList.remove("chosen")); cell.classList.add("chosen"); explain(own, columns[number]); });
      row.append(cell);
    });
  };
  const majors = [...new Set(lines.map((line) => line.code.slice(0, 2)))];
  for (const major of majors) {
    const own = lines.filter((line) => line.code.startsWith(major));
    add(`${major} ${data.majors[at("kind").value + major] || ""}`, "major", own);
    if (at("minor").checked) for (const line of own) add(`${line.code} ${line.name}`, "", [line]);
  }
  at("matrix").replaceChildren(table);
}

function explain(lines, column, finding) {
  const chains = column.places.map((place) => data.chains[place]);
  const areas = new Set(chains.flat());
  const codes = new Set(lines.flatMap((line) => [line.code, line.code.slice(0, 2), "*"]));
  const rank = (area) => Math.min(...chains.map((chain) => { const place = chain.indexOf(area); return place < 0 ? 99 : place; }));
  const day = finding ? finding.first_day : data.as_of;
  const rows = data.plan.filter((row) => holds(row, day) && row.kind === lines[0].kind && codes.has(row.class_code) && areas.has(row.area_code))
    .sort((a, b) => a.role.localeCompare(b.role) || rank(a.area_code) - rank(b.area_code) || b.class_code.length - a.class_code.length || (a.season || a.hours ? 0 : 1) - (b.season || b.hours ? 0 : 1));
  const state = worst(lines, column.places);
  const box = at("detail");
  const title = lines.length === 1 ? `${lines[0].code} ${lines[0].name}` : `${lines[0].code.slice(0, 2)} ${data.majors[lines[0].kind + lines[0].code.slice(0, 2)] || ""}`;
  const words = day > data.as_of ? `${finding[`what_${language}`]} (${day})` : tell("states")[state];
  const parts = [make("h3", `${title} · ${column.name}: ${words}`)];
  const told = finding ? [finding] : all_findings.filter((each) => each.kind === lines[0].kind && lines.some((line) => each.classes.some((code) => code === "*" || line.code.startsWith(code))) && each.areas.some((area) => areas.has(area)));
  for (const each of told.slice(0, 6)) parts.push(make("p", each[language]));
  const scroll = make("div", undefined, "scroll");
  const table = make("table");
  const head = table.createTHead().insertRow();
  tell("heads").forEach((word) => head.append(make("th", word)));
  const body = table.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    const days = row.begins_on || row.ends_on ? `${row.begins_on || ""}…${row.ends_on || ""}` : "";
    const when = [row.season, row.hours, days].filter(Boolean).join(" ");
    for (const text of [row.code, language === "zh" ? ROLES[row.role] : row.role, `${row.unit_code} ${data.units[row.unit_code] || ""}`, row.class_code, `${row.area_code} ${name_of(row.area_code)}`, when, row.limit || "", `${row.sheet.split("|").pop()} ${row.line}`]) line.append(make("td", text));
  }
  if (!rows.length) body.insertRow().append(make("td", language === "zh" ? "没有任何一行涉及。" : "No row speaks for it."));
  scroll.append(table);
  parts.push(scroll);
  box.replaceChildren(...parts);
  box.hidden = false;
}

function outline(rings, height) {
  return rings.map((ring) => { let x = 0, y = 0, text = ""; for (let i = 0; i < ring.length; i += 2) { x += ring[i]; y += ring[i + 1]; text += `${i ? "L" : "M"}${x} ${height - y}`; } return `${text}Z`; }).join("");
}

function middle(rings, height) {
  let x = 0, y = 0, west = Infinity, east = -Infinity, south = Infinity, north = -Infinity;
  const ring = rings[0] || [0, 0];
  for (let i = 0; i < ring.length; i += 2) { x += ring[i]; y += ring[i + 1]; west = Math.min(west, x); east = Math.max(east, x); south = Math.min(south, y); north = Math.max(north, y); }
  return [(west + east) / 2, height - (south + north) / 2];
}

function shade(count, most) {
  if (!count) return "#e9f3ea";
  const light = 92 - 45 * Math.min(1, count / Math.max(1, most));
  return `hsl(8 75% ${light}%)`;
}

function show_map() {
  const space = "http://www.w3.org/2000/svg";
  const [width, height] = data.map.size;
  const svg = document.createElementNS(space, "svg");
  const edge = Math.max(width, height) * 0.02;
  svg.setAttribute("viewBox", `${-edge} ${-edge} ${width + 2 * edge} ${height + 2 * edge}`);
  svg.setAttribute("role", "img");
  const most = Math.max(...data.map.areas.map((each) => each.count), 1);
  const draw = (each, css, fill, title) => {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", outline(each.rings, height));
    path.setAttribute("class", css);
    path.setAttribute("fill-rule", "evenodd");
    if (fill) path.setAttribute("fill", fill);
    const label = document.createElementNS(space, "title");
    label.textContent = title;
    path.append(label);
    svg.append(path);
  };
  const write = (each, text, size) => {
    const label = document.createElementNS(space, "text");
    const [x, y] = middle(each.rings, height);
    label.setAttribute("x", x); label.setAttribute("y", y); label.setAttribute("font-size", size); label.setAttribute("stroke-width", size / 6);
    label.textContent = text;
    svg.append(label);
  };
  const size = Math.max(width, height) / 60;
  const findings = language === "zh" ? "项问题" : "findings";
  for (const each of data.map.areas) draw(each, "area", shade(each.count, most), `${each.code} ${name_of(each.code)}: ${each.count} ${findings}`);
  for (const each of data.map.drawn) draw(each, `drawn ${each.kind}`, null, `${each.code} ${each.name} (${tell("kinds")[each.kind]})`);
  for (const each of data.map.areas) write(each, `${name_of(each.code)} ${each.count || ""}`, size);
  for (const each of data.map.drawn) write(each, each.code, size);
  at("map").replaceChildren(svg);
  const whole = data.findings.filter((each) => each.areas.includes("*") && each.what !== "never").length;
  at("everywhere").textContent = language === "zh" ? `另有全域问题 ${whole} 项` : `and ${whole} of the whole city`;
  const table = make("table");
  const body = table.createTBody();
  for (const each of data.map.drawn) {
    const row = body.insertRow();
    const sharing = each.sharing ? `${tell("sharing")[each.sharing]}: ${each.sides.map(name_of).join(" | ")}` : "";
    for (const text of [each.code, each.name, tell("kinds")[each.kind], sharing]) row.append(make("td", text));
  }
  at("drawn").replaceChildren(table);
}

function show_key() {
  at("key").replaceChildren(...[0, 1, 2, 3, 4].map((state) => { const item = make("span"); item.append(make("i", undefined, `s${state}`), tell("states")[state]); return item; }));
  const level = at("level").value || "street";
  at("level").replaceChildren(...Object.entries(tell("levels")).map(([value, text]) => { const option = make("option", text); option.value = value; return option; }));
  at("level").value = level;
}

function show_all() {
  document.documentElement.className = language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  show_key(); show_counts(); show_findings(); show_matrix(); show_map();
}

for (const id of ["kind", "level", "faulty", "minor"]) at(id).addEventListener("change", () => { at("detail").hidden = true; show_matrix(); });
at("choice").addEventListener("submit", (event) => event.preventDefault());
at("language").addEventListener("click", () => { language = language === "zh" ? "en" : "zh"; at("detail").hidden = true; show_all(); });
const first = all_findings.find((each) => each.what !== "never") || all_findings[0];
if (first) at("kind").value = first.kind;
show_all();
