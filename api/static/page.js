// The map page: a place and a class in, the owning unit and why out.

import { readAddress, writeAddress } from "./address.js";
import { ask } from "./ask.js";
import { element } from "./dom.js";
import { EVALUATION, GROUPS } from "./layers.js";
import { drawAnswer, makeMap } from "./map.js";
import { showDecision, showHint, showProblem, showWaiting } from "./panel.js";
import { makeSearch } from "./search.js";
import { currentLanguage, setLanguage, word } from "./words.js";

const LANGUAGE = "wanmi-language";
const WORLD = [73, 18, 135, 54];
const PLACE_ZOOM = 17;
const NARROW = 760;

const state = {
  at: null, kind: "component", classCode: "", hidden: new Set(), decision: null,
  trade: "", evaluation: false, day: "", sets: null, words: "",
};
let classes = [];
let trades = [];
let reasons = new Map();
let city = null;
let map = null;
let search = null;
let asked = 0;

const chosenClass = () => classes.find((entry) => entry.kind === state.kind && entry.code === state.classCode);

function remember() {
  writeAddress({ ...state, view: map?.view(), language: currentLanguage() });
}

function notify(text, isBad = false) {
  const notice = document.getElementById("notice");
  const close = element("button", { type: "button", "aria-label": word("close"), on: { click: () => {
    notice.hidden = true;
  } } }, "×");
  notice.className = isBad ? "bad" : "";
  notice.replaceChildren(element("span", {}, text), close);
  notice.hidden = false;
}

async function lookUp() {
  if (!state.at) return;
  const mine = (asked += 1);
  showWaiting();
  delete document.getElementById("answer").dataset.whole;
  map?.mark(state.at);
  remember();
  try {
    const decision = await ask("/v1/lookup", {
      x: state.at.lon, y: state.at.lat, kind: state.kind, class_code: state.classCode,
      accuracy_m: state.at.accuracy, as_of: state.day || undefined, trace: true,
    });
    if (mine !== asked) return;
    state.decision = decision;
    state.sets = null;
    state.words = "";
    render();
    const day = { as_of: state.day || undefined };
    const about = (path, more) => ask(path, { ...day, ...more }).catch(() => null);
    const place = decision.grid && `/v1/grids/${decision.grid.code}`;
    const [words, grid, sets] = await Promise.all([
      about("/v1/reverse", { x: state.at.lon, y: state.at.lat, limit: 1 }),
      place && about(place),
      place && about(`${place}/sets`),
    ]);
    if (mine !== asked) return;
    state.words = words?.[0]?.location_text ?? "";
    state.sets = sets && { ...sets, trades };
    render();
    document.getElementById("answer").dataset.whole = "yes";
    const chosen = sets?.management_grids.find((set) => set.trade === state.trade);
    const set = chosen && (await about(`/v1/management_grids/${chosen.code}`));
    if (mine === asked) await map?.show(drawAnswer(decision, grid, set));
  } catch (problem) {
    if (mine !== asked) return;
    state.decision = null;
    showProblem(problem);
    await map?.show([]);
  }
}

function render() {
  if (!state.decision) {
    if (!state.at) showHint();
    return;
  }
  const part = state.decision.component;
  const entry = classes.find((known) => known.kind === state.kind && known.code === part?.class_code);
  showDecision(state.decision, {
    className: entry?.name ?? "",
    reasons,
    sets: state.sets,
    words: state.words,
    onCopy: copy(() => location.href),
    onCopyWords: copy(() => state.words),
  });
}

const copy = (text) => async (event) => {
  await navigator.clipboard?.writeText(text());
  event.target.textContent = word("copied");
};

function fillClasses() {
  const select = document.getElementById("class");
  const groups = new Map();
  for (const entry of classes.filter((known) => known.kind === state.kind)) {
    const name = `${entry.major_code} ${entry.major_name}`;
    if (!groups.has(name)) groups.set(name, element("optgroup", { label: name }));
    groups.get(name).append(element("option", { value: entry.code }, `${entry.code} ${entry.name}`));
  }
  select.replaceChildren(element("option", { value: "" }, word("placeOnly")), ...groups.values());
  if (!chosenClass()) state.classCode = "";
  select.value = state.classCode;
}

function fillLayers(images) {
  const list = document.querySelector("#layers ul");
  const names = Object.keys(GROUPS).filter((name) => name !== "orthophoto" || images.length);
  list.replaceChildren(...names.map((name) => {
    const box = element("input", { type: "checkbox", value: name, checked: !state.hidden.has(name) });
    box.addEventListener("change", () => {
      state.hidden[box.checked ? "delete" : "add"](name);
      map?.toggle(name, box.checked);
      remember();
    });
    const swatch = element("i");
    if (name === "grids" || name === "areas") swatch.style.borderColor = GROUPS[name];
    else swatch.style.background = GROUPS[name];
    if (name === "names") swatch.style.borderColor = "#8a979e";
    return element("li", {}, element("label", {}, box, swatch, word(name, "layer")));
  }), ...setControls());
}

// Management grids are shown for one trade at a time: those of several lie over each other.
function setControls() {
  const chinese = currentLanguage() === "zh";
  const select = element("select", { id: "trade", "aria-label": word("management") },
    element("option", { value: "" }, word("noTrade")),
    trades.map((trade) => element("option", { value: trade.trade, selected: trade.trade === state.trade },
      `${word("management")} · ${chinese ? trade.name_zh : trade.name_en}`)));
  select.addEventListener("change", () => {
    state.trade = select.value;
    showSets();
    lookUp();
  });
  const box = element("input", { type: "checkbox", id: "evaluation", checked: state.evaluation });
  box.addEventListener("change", () => {
    state.evaluation = box.checked;
    showSets();
  });
  const swatch = element("i");
  swatch.style.borderColor = EVALUATION;
  const day = element("input", { type: "date", id: "day", value: state.day, max: new Date().toISOString().slice(0, 10) });
  day.addEventListener("change", () => {
    state.day = day.value;
    remember();
    map?.turnTo(state.day);
    lookUp();
  });
  const hasEvaluation = (city?.counts?.evaluation_grids ?? 0) > 0;
  return [
    trades.length ? element("li", {}, select) : null,
    hasEvaluation ? element("li", {}, element("label", {}, box, swatch, word("evaluation"))) : null,
    element("li", {}, element("label", {}, word("day"), day)),
  ].filter(Boolean);
}

function showSets() {
  remember();
  map?.choose("management", "trade", state.trade);
  map?.toggle("management", state.trade !== "");
  map?.toggle("evaluation", state.evaluation);
}

function speak(language, images) {
  setLanguage(language);
  document.getElementById("language").textContent = word("otherLanguage");
  document.getElementById("city").textContent = city ? `${city.name || city.code} · ${city.standard}` : "";
  document.title = city ? `${city.name || city.code} · 万米 Wanmi` : "万米 Wanmi";
  search.label(word("search"));
  map?.label(word("hintKeys"));
  fillClasses();
  fillLayers(images);
  render();
}

let baseIsAway = false;

function onTrouble(error) {
  if (error?.status === 503 && !baseIsAway) {
    baseIsAway = true;
    notify(word("baseAway"));
    watchBase();
  }
}

async function watchBase() {
  const state = await ask("/readyz").catch(() => null);
  if (state?.database === "up") {
    baseIsAway = false;
    document.getElementById("notice").hidden = true;
    map.reload();
  } else {
    setTimeout(watchBase, 5000);
  }
}

async function load() {
  const [found, known, told, photos, listed] = await Promise.all([
    ask("/v1/city"), ask("/v1/classes"), ask("/v1/reasons"), ask("/imagery").catch(() => ({ images: [] })),
    ask("/v1/trades").catch(() => ({ trades: [] })),
  ]);
  city = found;
  classes = known.classes;
  trades = listed.trades;
  reasons = new Map(told.reasons.map((reason) => [reason.code, reason]));
  return photos.images;
}

function listen(images) {
  for (const radio of document.querySelectorAll("[name=kind]")) {
    radio.checked = radio.value === state.kind;
    radio.addEventListener("change", () => {
      state.kind = radio.value;
      fillClasses();
      remember();
      lookUp();
    });
  }
  document.getElementById("class").addEventListener("change", (event) => {
    state.classCode = event.target.value;
    remember();
    lookUp();
  });
  document.getElementById("language").addEventListener("click", () => {
    const language = currentLanguage() === "zh" ? "en" : "zh";
    localStorage.setItem(LANGUAGE, language);
    speak(language, images);
    remember();
    if (state.at && !state.decision) lookUp();
  });
}

function hasWebgl() {
  return document.createElement("canvas").getContext("webgl2") !== null;
}

async function start() {
  if (window.innerWidth < NARROW) document.getElementById("layers").open = false;
  const told = readAddress();
  const { at, kind, classCode, hidden, trade, evaluation, day } = told;
  Object.assign(state, { at, kind, classCode, hidden, trade, evaluation, day });
  const preferred = navigator.language?.toLowerCase().startsWith("zh") === false ? "en" : "zh";
  const language = told.language ?? localStorage.getItem(LANGUAGE) ?? preferred;
  search = makeSearch({
    onChosen: (place) => {
      state.at = { lon: place.lon, lat: place.lat, accuracy: place.uncertainty_m };
      map?.goTo(state.at, PLACE_ZOOM);
      lookUp();
    },
    onProblem: (problem) => notify(problem.message || problem.title, true),
    day: () => state.day || undefined,
    near: () => map?.view().center.map((degrees) => degrees.toFixed(5)).join(","),
  });
  setLanguage(language);
  let images = [];
  try {
    images = await load();
  } catch (problem) {
    notify([problem.title, problem.message].filter(Boolean).join(" "), true);
  }
  if (hasWebgl()) {
    map = makeMap({
      bounds: city?.data_version ? city.bounds : WORLD,
      images,
      view: told.view,
      firstDay: state.day,
      onClick: (place) => {
        state.at = place;
        lookUp();
      },
      onMove: remember,
      onTrouble,
    });
    for (const name of state.hidden) map.toggle(name, false);
    if (state.trade || state.evaluation) showSets();
  } else {
    notify(word("noWebgl"), true);
  }
  speak(language, images);
  listen(images);
  if (state.at) await lookUp();
  document.documentElement.dataset.ready = "yes";
}

start();
