// Questions to the server: one place for language, key and errors.

import { currentLanguage, word } from "./words.js";

const KEY = "wanmi-key";

export class Problem extends Error {
  constructor(title, detail, status, body = {}) {
    super(detail);
    this.title = title;
    this.status = status;
    this.body = body;
  }
}

export function headers() {
  const key = sessionStorage.getItem(KEY);
  const named = { "Accept-Language": currentLanguage() === "zh" ? "zh-CN" : "en" };
  return key ? { ...named, Authorization: `Bearer ${key}` } : named;
}

export async function ask(path, parameters = {}, { signal } = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, value);
  }
  const address = query.size ? `${path}?${query}` : path;
  let answer;
  try {
    answer = await fetch(address, { headers: headers(), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(word("offline"), "", 0);
  }
  if (answer.status === 401 && (await askForKey())) return ask(path, parameters, { signal });
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  const body = isJson ? await answer.json() : {};
  if (!answer.ok) {
    throw new Problem(body.title ?? answer.statusText, body.detail ?? "", answer.status, body);
  }
  return body;
}

let asking = null;

function askForKey() {
  // Several calls may be refused at once; the dialog is shown once for all.
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("key");
    const input = document.getElementById("secret");
    dialog.addEventListener(
      "close",
      () => {
        const given = dialog.returnValue === "ok" ? input.value.trim() : "";
        input.value = "";
        if (given) sessionStorage.setItem(KEY, given);
        asking = null;
        resolve(given !== "");
      },
      { once: true },
    );
    dialog.showModal();
  });
  return asking;
}
