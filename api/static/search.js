// The search box: places while typing, the best address on Enter; codes lead to what they are of.

import { ask } from "./ask.js";
import { findCode, isCode } from "./codes.js";
import { element } from "./dom.js";
import { currentLanguage, word } from "./words.js";

const PAUSE_MS = 160;
const SURE = 0.8;
const HALF = 0.5;
const TWICE = 2;

export function makeSearch({ onChosen, onProblem, near, day }) {
  const form = document.getElementById("search");
  const input = document.getElementById("query");
  const box = document.getElementById("found");
  let places = [];
  let active = -1;
  let timer = 0;
  let running = null;

  const close = () => {
    box.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (index) => {
    active = index;
    [...box.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === index)));
    if (index >= 0) {
      input.setAttribute("aria-activedescendant", `found-${index}`);
      box.children[index].scrollIntoView({ block: "nearest" });
    }
  };
  const choose = (place) => {
    input.value = place.name;
    close();
    onChosen(place);
  };
  const list = (found, told = "") => {
    places = found;
    const line = told || (found.length ? "" : word("nothingFound"));
    box.replaceChildren(...found.map(item), ...(line ? [element("li", { class: "none" }, line)] : []));
    box.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(-1);
  };
  const item = (place, index) =>
    element("li", { role: "option", id: `found-${index}`, on: { mousedown: (event) => {
      event.preventDefault();
      choose(place);
    } } }, element("span", {}, place.name), element("em", {}, word(place.kind, "kinds")),
    element("small", {}, place.full_address));
  const look = async (path, more = {}) => {
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    const text = input.value.trim();
    try {
      if (isCode(text)) return await findCode(text, day(), signal);
      return { found: await ask(path, { q: text, limit: 8, ...more }, { signal }), told: "" };
    } catch (error) {
      if (error.name !== "AbortError") onProblem(error);
      return null;
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    // Each digit more makes another code: those are looked up on Enter alone.
    if (!input.value.trim() || isCode(input.value.trim())) {
      close();
      return;
    }
    timer = setTimeout(async () => {
      const answer = await look("/v1/suggest", { near: near() });
      if (answer) list(answer.found);
    }, PAUSE_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (box.hidden || !places.length) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      mark((active + step + places.length) % places.length);
    }
  });
  input.addEventListener("blur", close);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearTimeout(timer);
    if (!box.hidden && active >= 0) {
      choose(places[active]);
      return;
    }
    if (!input.value.trim()) return;
    const answer = await look("/v1/geocode");
    if (!answer) return;
    const { found, told } = answer;
    if (isCode(input.value.trim())) {
      if (found.length === 1 && !told) choose(found[0]);
      else list(found, told);
      return;
    }
    // One place that is meant surely is shown at once; of several the caller is asked which.
    const [best, next] = found;
    const isClear = best && (best.score >= SURE || (best.score >= HALF && !(next?.score * TWICE > best.score)));
    if (isClear) choose(best);
    else list(found, best && (best[currentLanguage() === "zh" ? "question_zh" : "question"] || word("whichOne")));
  });
  return { label: (text) => {
    input.placeholder = text;
    input.setAttribute("aria-label", text);
  } };
}
