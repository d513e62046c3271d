// What is shown, kept in the address after #, so that a link shows the same again.

export function readAddress() {
  const told = new URLSearchParams(location.hash.slice(1));
  const numbers = (text, count) => {
    const parts = (text ?? "").split(/[/,]/).map(Number);
    return parts.length === count && parts.every(Number.isFinite) ? parts : null;
  };
  const view = numbers(told.get("map"), 3);
  const at = numbers(told.get("at"), 2);
  return {
    view: view && { zoom: view[0], center: [view[2], view[1]] },
    at: at && { lon: at[0], lat: at[1] },
    kind: told.get("kind") === "event" ? "event" : "component",
    classCode: told.get("class") ?? "",
    language: told.get("lang"),
    trade: told.get("trade") ?? "",
    evaluation: told.get("evaluation") === "1",
    day: /^\d{4}-\d{2}-\d{2}$/.test(told.get("day") ?? "") ? told.get("day") : "",
    hidden: new Set((told.get("off") ?? "").split(",").filter(Boolean)),
  };
}

export function writeAddress({ view, at, kind, classCode, language, hidden, trade, evaluation, day }) {
  const told = new URLSearchParams();
  if (view) {
    const [lon, lat] = view.center;
    told.set("map", `${view.zoom.toFixed(2)}/${lat.toFixed(6)}/${lon.toFixed(6)}`);
  }
  if (at) told.set("at", `${at.lon.toFixed(6)},${at.lat.toFixed(6)}`);
  if (kind === "event") told.set("kind", kind);
  if (classCode) told.set("class", classCode);
  if (trade) told.set("trade", trade);
  if (evaluation) told.set("evaluation", "1");
  if (day) told.set("day", day);
  if (hidden.size) told.set("off", [...hidden].sort().join(","));
  told.set("lang", language);
  const text = told.toString().replaceAll("%2F", "/").replaceAll("%2C", ",");
  history.replaceState(null, "", `#${text}`);
}
