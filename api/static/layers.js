// The map's layers: vector tiles of the databases, drawn as Chinese base maps are.

const LABEL = { "text-font": ["sans-serif"], "text-max-width": 8 };
const HALO = { "text-halo-color": "#ffffff", "text-halo-width": 1.4 };
const GRID = "#d6006e";
export const MANAGEMENT = "#0057b8";
export const EVALUATION = "#9a5b00";
// Neighbours are mostly numbered one after the other, so that they get different colours.
const PALETTE = ["#4e9fd8", "#f2b04a", "#6dbb7e", "#e2788f", "#9a86d2", "#b9a77c", "#57c2bd"];
const BY_NUMBER = [
  "match", ["%", ["to-number", ["slice", ["get", "code"], -3], 0], PALETTE.length],
  ...PALETTE.slice(1).flatMap((color, index) => [index + 1, color]), PALETTE[0],
];
const byClass = (prefix) => ["==", ["slice", ["get", "feature_class"], 0, prefix.length], prefix];
const byZoom = (...stops) => ["interpolate", ["exponential", 1.8], ["zoom"], ...stops];

// group -> swatch; the order is that of the list on the page.
export const GROUPS = {
  orthophoto: "linear-gradient(135deg,#6d7f5d,#a79a80)",
  base: "linear-gradient(90deg,#cfe6c4 33%,#b9d9ee 33% 66%,#ddd5c8 66%)",
  names: "#ffffff",
  areas: "#7a5ca8",
  grids: GRID,
  components: "#0b7a75",
};

const vector = (id, maxzoom = 18) => ({
  type: "vector",
  tiles: [`${location.origin}/ogc/collections/${id}/tiles/WebMercatorQuad/{z}/{x}/{y}`],
  minzoom: 8,
  maxzoom,
});

export function makeSources(bounds, images) {
  const sources = {};
  const names = ["vegetation", "hydrography", "residential", "transport"].map((t) => `topography_${t}`);
  for (const id of [...names, "districts", "streets", "communities", "unit_grids", "management_grids", "evaluation_grids", "components", "place_names"]) {
    sources[id] = { ...vector(id), bounds };
  }
  for (const image of images) {
    sources[`image-${image.code}`] = {
      type: "raster",
      tiles: [`${location.origin}/imagery/${image.code}/tiles/{z}/{x}/{y}.png`],
      tileSize: 256,
      bounds: image.bounds,
      minzoom: 10,
      maxzoom: 20,
    };
  }
  sources.answer = { type: "geojson", data: { type: "FeatureCollection", features: [] } };
  return sources;
}

const layer = (group, id, type, source, more) => ({
  id,
  type,
  source,
  ...(source.startsWith("image-") || source === "answer" ? {} : { "source-layer": source }),
  metadata: { group },
  ...more,
});
// A tile names each area in one place only, in a layer of its own.
const labelsOf = (id) => ({ "source-layer": `${id}_label` });

const roadWidth = (at18) => byZoom(11, 0.4, 14, at18 / 6, 18, at18, 20, at18 * 3);

function baseLayers() {
  const green = "topography_vegetation";
  const water = "topography_hydrography";
  const built = "topography_residential";
  const road = "topography_transport";
  const polygon = ["==", ["geometry-type"], "Polygon"];
  const line = ["==", ["geometry-type"], "LineString"];
  const main = ["any", byClass("430501"), byClass("4205"), byClass("4201")];
  const middle = ["any", byClass("430502"), byClass("4202")];
  const drive = (id, filter, color, width) => [
    layer("base", `${id}-case`, "line", road, {
      filter: ["all", line, filter],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": "#c9c2b4", "line-width": roadWidth(width + 2) },
    }),
    layer("base", id, "line", road, {
      filter: ["all", line, filter],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": color, "line-width": roadWidth(width) },
    }),
  ];
  return [
    layer("base", "green", "fill", green, { filter: polygon, paint: { "fill-color": "#d5e8cb" } }),
    layer("base", "compounds", "fill", built, {
      filter: ["all", polygon, byClass("3106")],
      paint: { "fill-color": "#efe9dd", "fill-outline-color": "#d9cfbb" },
    }),
    layer("base", "water", "fill", water, { filter: polygon, paint: { "fill-color": "#b9d9ee" } }),
    layer("base", "streams", "line", water, {
      filter: ["!", polygon],
      paint: { "line-color": "#93c3e2", "line-width": 1.4 },
    }),
    layer("base", "bridges", "fill", road, {
      filter: polygon,
      paint: { "fill-color": "#fbf9f4", "fill-outline-color": "#b9af9f" },
    }),
    ...drive("lanes", ["!", ["any", main, middle]], "#ffffff", 7),
    ...drive("secondary", middle, "#fff3c9", 13),
    ...drive("primary", main, "#ffe08f", 18),
    layer("base", "buildings", "fill", built, {
      minzoom: 13,
      filter: ["all", polygon, ["!", byClass("3106")]],
      paint: { "fill-color": "#ded7cb", "fill-outline-color": "#b9af9f" },
    }),
  ];
}

function borderLayers() {
  const dash = (id, source, width, dashes, minzoom) =>
    layer("areas", id, "line", source, {
      minzoom,
      paint: { "line-color": "#7a5ca8", "line-width": width, "line-dasharray": dashes },
    });
  return [
    layer("grids", "grids-fill", "fill", "unit_grids", {
      minzoom: 12,
      paint: { "fill-color": GRID, "fill-opacity": 0.02 },
    }),
    layer("grids", "grids", "line", "unit_grids", {
      minzoom: 12,
      paint: { "line-color": GRID, "line-width": byZoom(12, 0.3, 15, 0.9, 18, 1.8) },
    }),
    dash("communities", "communities", 1.3, [3, 2], 12),
    dash("streets", "streets", 2, [5, 2, 1, 2], 10),
    dash("districts", "districts", 2.8, [8, 2, 1, 2, 1, 2], 8),
  ];
}

// Sets of unit grids: not shown until a trade, or evaluation, is chosen.
const SETS = [["evaluation", "evaluation_grids", EVALUATION], ["management", "management_grids", MANAGEMENT]];

function setFills() {
  return SETS.map(([group, source]) =>
    layer(group, `${group}-fill`, "fill", source, {
      minzoom: 9,
      layout: { visibility: "none" },
      paint: { "fill-color": BY_NUMBER, "fill-opacity": 0.34 },
    }));
}

function setBorders() {
  return SETS.map(([group, source, color]) =>
    layer(group, `${group}-line`, "line", source, {
      minzoom: 9,
      layout: { visibility: "none", "line-join": "round" },
      paint: { "line-color": color, "line-width": byZoom(10, 1.2, 14, 2.8, 18, 5) },
    }));
}

function pointLayers() {
  const dot = ["match", ["slice", ["get", "class_code"], 0, 2],
    "01", "#0b7a75", "02", "#3c6ca8", "03", "#a8612a", "04", "#2f8f46", "05", "#8a4fa3", "06", "#b23a48", "#5d6970"];
  return [
    layer("components", "components-shape", "line", "components", {
      minzoom: 15,
      filter: ["!=", ["geometry-type"], "Point"],
      paint: { "line-color": dot, "line-width": 2 },
    }),
    layer("components", "components", "circle", "components", {
      minzoom: 14,
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-color": dot,
        "circle-radius": byZoom(14, 1, 17, 3.2, 20, 8),
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": byZoom(14, 0, 17, 0.8, 20, 1.5),
        "circle-opacity": ["match", ["get", "condition"], ["removed", "lost", "abandoned"], 0.4, 1],
      },
    }),
  ];
}

function labelLayers() {
  const text = (group, id, source, field, size, color, minzoom, more = {}, where = {}) =>
    layer(group, id, "symbol", source, {
      ...where,
      minzoom,
      layout: { ...LABEL, "text-field": ["get", field], "text-size": size, ...more },
      paint: { ...HALO, "text-color": color },
    });
  return [
    text("components", "components-label", "components", "name", 11, "#38515c", 18.5, {
      "text-offset": [0, 1.1], "text-anchor": "top", "text-optional": true,
    }),
    text("base", "roads-label", "topography_transport", "name", 12, "#5f5746", 14, {
      "symbol-placement": "line", "symbol-spacing": 320, "text-max-angle": 30,
    }),
    text("base", "water-label", "topography_hydrography", "name", 12, "#2f6f9f", 14, {}, labelsOf("topography_hydrography")),
    text("names", "names-label", "place_names", "name", 12.5, "#3a4750", 14.5),
    text("grids", "grids-label", "unit_grids", "code", 11, GRID, 16.2, {
      "text-field": ["slice", ["get", "code"], 9],
    }, labelsOf("unit_grids")),
    text("areas", "communities-label", "communities", "name", 13, "#64478f", 13, { "text-letter-spacing": 0.08 }, labelsOf("communities")),
    text("areas", "streets-label", "streets", "name", 15, "#533683", 10, { "text-letter-spacing": 0.15 }, labelsOf("streets")),
    // What was chosen is named first; names of areas at the same place give way.
    ...SETS.map(
      ([group, source, color]) =>
        text(group, `${group}-label`, source, "name", 13.5, color, 12, {
          visibility: "none",
          "text-field": ["concat", ["coalesce", ["get", "name"], ["get", "code"]], "\n", ["coalesce", ["get", "unit_name"], ""]],
        }, labelsOf(source)),
    ),
  ];
}

function answerLayers() {
  const of = (part) => ["==", ["get", "part"], part];
  const line = (id, part, color, width, more = {}) =>
    layer("answer", id, "line", "answer", {
      filter: of(part),
      layout: { "line-join": "round" },
      paint: { "line-color": color, "line-width": width, ...more },
    });
  return [
    layer("answer", "answer-grid-fill", "fill", "answer", {
      filter: of("grid"),
      paint: { "fill-color": GRID, "fill-opacity": 0.14 },
    }),
    line("answer-set", "set", MANAGEMENT, 5, { "line-opacity": 0.8 }),
    line("answer-grid", "grid", GRID, 3.5),
    layer("answer", "answer-disc", "fill", "answer", {
      filter: of("disc"),
      paint: { "fill-color": "#1e6fd0", "fill-opacity": 0.13, "fill-outline-color": "#1e6fd0" },
    }),
    line("answer-link", "link", "#16242c", 1.6, { "line-dasharray": [2, 1.5] }),
    layer("answer", "answer-part", "circle", "answer", {
      filter: of("component"),
      paint: {
        "circle-radius": 9, "circle-color": "#ffffff00", "circle-stroke-color": "#16242c", "circle-stroke-width": 2.4,
      },
    }),
  ];
}

export function makeLayers(images) {
  const photos = images.map((image) =>
    layer("orthophoto", `image-${image.code}`, "raster", `image-${image.code}`, {}),
  );
  return [
    { id: "ground", type: "background", paint: { "background-color": "#f5f2ec" } },
    ...baseLayers(),
    ...photos,
    ...setFills(),
    ...borderLayers(),
    ...setBorders(),
    ...pointLayers(),
    ...answerLayers(),
    ...labelLayers(),
  ];
}
