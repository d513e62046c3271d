// The answer in words: owner, grid, areas, component, and why.

import { element } from "./dom.js";
import { currentLanguage, word } from "./words.js";

const place = () => document.getElementById("answer");
const percent = (share) => `${(share * 100).toFixed(share > 0.995 || share < 0.005 ? 1 : 0)}%`;
const metres = (value) => (value === null ? "–" : `${value.toFixed(value < 10 ? 1 : 0)} m`);
const code = (text) => element("span", { class: "code" }, text);

export function showHint() {
  place().replaceChildren(
    element("p", { class: "hint" }, word("hint")),
    element("p", { class: "hint" }, word("hintKeys")),
  );
}

export function showWaiting() {
  place().classList.add("waiting");
  place().setAttribute("aria-busy", "true");
}

function show(...parts) {
  place().classList.remove("waiting");
  place().removeAttribute("aria-busy");
  place().replaceChildren(...parts.filter(Boolean));
}

export function showProblem(problem) {
  show(
    element("div", { class: "problem", role: "alert" },
      element("h2", {}, problem.title ?? problem.message),
      problem.title ? element("p", {}, problem.message) : null),
  );
}

export function showDecision(decision, { className, reasons, sets, words, onCopy, onCopyWords }) {
  show(
    ownerCard(decision),
    reasonList(decision.reasons, reasons),
    othersBlock(decision.owner),
    roadBlock(decision.boundary),
    gridBlock(decision.grid),
    ...setBlocks(sets),
    areaBlock(decision.areas),
    partBlock(decision, className),
    positionBlock(decision.location, words, onCopyWords),
    traceBlock(decision.trace),
    element("div", { class: "tools" },
      element("button", { type: "button", on: { click: onCopy } }, word("copyLink"))),
    element("p", { class: "version" }, `${word("version")} `, code(decision.data_version)),
  );
}

function ownerCard(decision) {
  const { owner, probability, needs_review: review } = decision;
  if (!owner) return element("div", { class: "owner review" }, element("h2", {}, word("noOwner")));
  const limit = owner.time_limit;
  return element("div", { class: review ? "owner review" : "owner", id: "owner" },
    element("p", {}, word("owner")),
    element("h2", {}, owner.unit_name),
    element("p", {},
      element("span", { class: "badge" }, word(owner.role, "roles")),
      element("span", { class: "badge" }, word(owner.principle, "principles")),
      review ? element("span", { class: "badge warn" }, word("review")) : null),
    element("div", { class: "sure" },
      element("span", {}, word("probability")),
      element("meter", { min: 0, max: 1, low: 0.6, high: 0.8, optimum: 1, value: probability, "aria-label": word("probability") }),
      element("b", {}, percent(probability))),
    list([
      limit && [word("limit"), `${limit.value} ${word(limit.unit, "units")}`],
      [word("code"), code(owner.unit_code)],
      [word("rule"), code(owner.rule)],
      owner.filing_condition && [word("filing"), owner.filing_condition],
      owner.closing_condition && [word("closing"), owner.closing_condition],
      ...owner.persons.map((person) => [
        word(person.level, "persons"), [person.name, person.phone].filter(Boolean).join(" ")]),
    ]));
}

// Who else it may be, and why, in the server's words.
function othersBlock(owner) {
  if (!owner?.alternatives.length) return null;
  const chinese = currentLanguage() === "zh";
  return block(word("othersTitle"), element("ul", { class: "rivals", id: "rivals" },
    owner.alternatives.map((other) => element("li", {},
      element("b", {}, other.unit_name), ` ${percent(other.probability)} `,
      element("span", { class: "badge" }, word(other.cause, "causes")),
      element("small", {}, chinese ? (other.why_zh || other.why) : other.why)))));
}

function roadBlock(road) {
  if (!road) return null;
  return block(word("road"), list([
    [word("name"), [road.name, " ", code(road.code)]],
    [word("sharing"), word(road.sharing, "sharings")],
    [word("answers"), road.area_code ? code(road.area_code) : word("nobodyAnswers")],
    road.other_area_code && [word("otherSide"), code(road.other_area_code)],
    road.joint && [word("joint"), [road.joint.unit_name, " ", code(road.joint.unit_code)]],
  ]));
}

function reasonList(names, reasons) {
  if (!names.length) return null;
  const spoken = currentLanguage();
  return element("ul", { class: "reasons" },
    names.map((name) => element("li", {}, reasons.get(name)?.[spoken] ?? name)));
}

const block = (title, ...parts) => element("section", { class: "block" }, element("h3", {}, title), ...parts);

function list(rows) {
  return element("dl", {}, rows.filter(Boolean).flatMap(([name, value]) => [
    element("dt", {}, name), element("dd", {}, value)]));
}

function others(items) {
  if (!items.length) return null;
  return element("ul", { class: "others" }, items.map((item) => element("li", {}, ...item)));
}

function gridBlock(grid) {
  if (!grid) return null;
  return block(word("grid"),
    list([
      [word("code"), code(grid.code)],
      grid.distance_m > 0 ? [word("outside"), metres(grid.distance_m)] : [word("share"), percent(grid.probability)],
      grid.distance_m > 0 ? null : [word("edge"), metres(grid.edge_distance_m)],
    ]),
    grid.on_boundary ? element("p", { class: "others" }, word("boundary")) : null,
    others(grid.alternatives.map((other) => [code(other.code), ` ${percent(other.probability)}`])));
}

// Whose the place is in each trade; persons are not shown.
function setBlocks(sets) {
  if (!sets) return [];
  const chinese = currentLanguage() === "zh";
  const names = new Map(sets.trades.map((trade) => [trade.trade, chinese ? trade.name_zh : trade.name_en]));
  const rows = (found, label) => list(found.map((set) => [
    label(set), [set.unit_name ?? word("unitUnknown"), element("br"), code(set.code), set.name ? ` ${set.name}` : ""]]));
  const made = (title, found, label) => (found.length ? block(title, rows(found, label)) : null);
  return [
    made(word("management"), sets.management_grids, (set) => names.get(set.trade) ?? set.trade),
    made(word("evaluation"), sets.evaluation_grids, (set) => (set.kind === "*" ? word("evaluation") : set.kind)),
  ];
}

function areaBlock(areas) {
  const rows = ["district", "street", "community"]
    .filter((level) => areas[level])
    .map((level) => [word(level), [areas[level].name, " ", code(areas[level].code)]]);
  return rows.length ? block(word("areas"), element("dl", {}, rows.flatMap(([name, value]) => [
    element("dt", {}, name), element("dd", {}, ...value)]))) : null;
}

function partBlock({ component, reasons }, className) {
  if (!component) {
    return reasons.includes("component_not_found") ? block(word("partTitle"), element("p", { class: "hint" }, word("noPart"))) : null;
  }
  return block(word("partTitle"),
    list([
      [word("name"), component.name || className],
      [word("code"), code(component.code)],
      [word("class"), `${className} ${component.class_code}`],
      [word("distance"), `${metres(component.distance_m)} · ${percent(component.probability)}`],
      [word("condition"), word(component.condition, "conditions")],
    ]),
    others(component.alternatives.map((other) => [
      code(other.code), ` ${metres(other.distance_m)} · ${percent(other.probability)}`])));
}

// The place in words as staff write it into a case, ready to be copied.
function wordsOf(words, onCopy) {
  const button = element("button", { type: "button", class: "small", on: { click: onCopy } }, word("copy"));
  return [element("span", { id: "words" }, words), " ", button];
}

function positionBlock(location, words, onCopy) {
  if (location.lon === null) return null;
  return block(word("position"), list([
    words ? [word("eventLocation"), wordsOf(words, onCopy)] : null,
    location.address ? [word("address"), location.address] : null,
    [word("coordinates"), code(`${location.lon.toFixed(6)}, ${location.lat.toFixed(6)}`)],
    [word("local"), code(`${location.x.toFixed(2)}, ${location.y.toFixed(2)}`)],
    [word("accuracy"), `${metres(location.accuracy_m)} (${word(location.source, "sources")})`],
  ]));
}

function traceBlock(trace) {
  const chinese = currentLanguage() === "zh";
  return block(word("trace"), element("ol", { class: "trace" }, trace.map((step) =>
    element("li", { class: step.outcome },
      element("b", {}, step.candidate || step.step),
      element("small", {}, chinese ? (step.why_zh ?? step.why) : step.why)))));
}
