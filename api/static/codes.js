// Codes typed into the search box: the thing itself, or the grids that hold a retired one's land.

import { ask } from "./ask.js";

const GONE = 410;
// Digits of a code -> what it is of, in all generations of the standards.
const KINDS = { 6: "areas", 9: "areas", 12: "areas", 14: "grids", 15: "grids", 16: "components", 17: "components" };

export const isCode = (text) => /^\d+$/.test(text) && text.length in KINDS;

// Places to choose from, and what is to be told of them.
export async function findCode(code, day, signal) {
  try {
    const found = await ask(`/v1/${KINDS[code.length]}/${code}`, { as_of: day }, { signal });
    return { found: [placeOf(found)], told: "" };
  } catch (problem) {
    if (problem.status !== GONE) throw problem;
    const heirs = problem.body.successors;
    // A heir that may not be seen, or went meanwhile, hides neither the others nor the sentence.
    const asked = await Promise.allSettled(heirs.map((heir) => ask(heir.href, {}, { signal })));
    signal?.throwIfAborted();
    return {
      found: asked.flatMap(({ value }, index) =>
        value ? [{ ...placeOf(value), full_address: `${Math.round(heirs[index].share * 100)}%` }] : []),
      told: problem.message,
    };
  }
}

function placeOf({ id, geometry, properties }) {
  const [lon, lat] = pointIn(geometry);
  return { name: id, kind: KINDS[id.length], full_address: properties.name ?? "", lon, lat };
}

// A point of the geometry itself: where the widest part of the middle line lies inside.
function pointIn({ type, coordinates }) {
  if (type === "Point") return coordinates;
  const points = coordinates.flat(type === "LineString" ? 0 : type === "MultiPolygon" ? 2 : 1);
  if (!type.endsWith("Polygon")) return points[Math.floor(points.length / 2)];
  const heights = points.map(([, y]) => y);
  const middle = (Math.min(...heights) + Math.max(...heights)) / 2;
  const crossed = (type === "Polygon" ? coordinates : coordinates.flat())
    .flatMap((ring) => ring.slice(1).map((end, index) => [ring[index], end]))
    .filter(([from, to]) => from[1] > middle !== to[1] > middle)
    .map(([from, to]) => from[0] + ((middle - from[1]) / (to[1] - from[1])) * (to[0] - from[0]))
    .sort((one, other) => one - other);
  let [west, east] = crossed;
  for (let at = 2; at < crossed.length; at += 2) {
    if (crossed[at + 1] - crossed[at] > east - west) [west, east] = [crossed[at], crossed[at + 1]];
  }
  return [(west + east) / 2, middle];
}
