// The map page: a place and a class in, the owning unit and why out.

import { readAddress, writeAddress } from "./address.js";
import { ask } from "./ask.js";
import { element } from "./dom.js";
import { GROUPS } from "./layers.js";
import { drawAnswer, makeMap } from "./map.js";
import { showDecision, showHint, showProblem, showWaiting } from "./panel.js";
import { makeSearch } from "./search.js";
import { currentLanguage, setLanguage, word } from "./words.js";

const LANGUAGE = "wanmi-language";
const WORLD = [73, 18, 135, 54];
const PLACE_ZOOM = 17;
const NARROW = 760;

const state = { at: null, kind: "component", classCode: "", hidden: new Set(), decision: null };
let classes = [];
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
  map?.mark(state.at);
  remember();
  try {
    const decision = await ask("/v1/lookup", {
      x: state.at.lon, y: state.at.lat, kind: state.kind, class_code: state.classCode,
      accuracy_m: state.at.accuracy,
    });
    if (mine !== asked) return;
    state.decision = decision;
    render();
    const grid = decision.grid && (await ask(`/v1/grids/${decision.grid.code}`).catch(() => null));
    if (mine === asked) await map?.show(drawAnswer(decision, grid));
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
    onCopy: async (event) => {
      await navigator.clipboard?.writeText(location.href);
      event.target.textContent = word("copied");
    },
  });
}

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
  }));
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
  const [found, known, told, photos] = await Promise.all([
    ask("/v1/city"), ask("/v1/classes"), ask("/v1/reasons"), ask("/imagery").catch(() => ({ images: [] })),
  ]);
  city = found;
  classes = known.classes;
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
  Object.assign(state, { at: told.at, kind: told.kind, classCode: told.classCode, hidden: told.hidden });
  const preferred = navigator.language?.toLowerCase().startsWith("zh") === false ? "en" : "zh";
  const language = told.language ?? localStorage.getItem(LANGUAGE) ?? preferred;
  search = makeSearch({
    onChosen: (place) => {
      state.at = { lon: place.lon, lat: place.lat, accuracy: place.uncertainty_m };
      map?.goTo(state.at, PLACE_ZOOM);
      lookUp();
    },
    onProblem: (problem) => notify(problem.message || problem.title, true),
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
      onClick: (place) => {
        state.at = place;
        lookUp();
      },
      onMove: remember,
      onTrouble,
    });
    for (const name of state.hidden) map.toggle(name, false);
  } else {
    notify(word("noWebgl"), true);
  }
  speak(language, images);
  listen(images);
  if (state.at) await lookUp();
  document.documentElement.dataset.ready = "yes";
}

start();
