// The map: made once, told what to show.

import { headers } from "./ask.js";
import { makeLayers, makeSources } from "./layers.js";
import * as maplibre from "./vendor/maplibre-gl/dist/maplibre-gl.mjs";

const METRES_PER_DEGREE = 111_320;

export function makeMap({ bounds, images, view, firstDay, onClick, onMove, onTrouble }) {
  let day = firstDay;
  // Layers of the databases are asked for as they were on the day.
  const asOf = (url) => (day && url.includes("/ogc/collections/") ? `${url}?datetime=${day}` : url);
  const refresh = () => {
    for (const [id, source] of Object.entries(map.getStyle().sources)) {
      if (source.type === "vector") map.refreshTiles(id);
    }
  };
  const map = new maplibre.Map({
    container: "map",
    style: { version: 8, sources: makeSources(bounds, images), layers: makeLayers(images) },
    ...(view ?? { bounds, fitBoundsOptions: { padding: 20 } }),
    maxZoom: 21,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    localIdeographFontFamily:
      '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Zen Hei", sans-serif',
    transformRequest: (url) => (url.startsWith(location.origin) ? { url: asOf(url), headers: headers() } : { url }),
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ unit: "metric" }), "bottom-right");
  const marker = new maplibre.Marker({ color: "#1e6fd0", scale: 0.85 });
  map.on("click", (event) => onClick({ lon: event.lngLat.lng, lat: event.lngLat.lat }));
  map.on("moveend", () => onMove());
  map.on("error", (event) => onTrouble(event.error));
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      const { lng, lat } = map.getCenter();
      onClick({ lon: lng, lat });
    }
  });
  const position = document.getElementById("position");
  map.on("mousemove", (event) => {
    position.textContent = `${event.lngLat.lng.toFixed(6)}, ${event.lngLat.lat.toFixed(6)}`;
  });
  // The style is there long before the first tiles are.
  const ready = new Promise((resolve) => map.once("style.load", resolve));
  return {
    view: () => ({ zoom: map.getZoom(), center: map.getCenter().toArray() }),
    goTo: ({ lon, lat }, zoom) => map.easeTo({ center: [lon, lat], zoom: Math.max(map.getZoom(), zoom) }),
    mark: ({ lon, lat }) => marker.setLngLat([lon, lat]).addTo(map),
    label: (text) => map.getCanvas().setAttribute("aria-label", text),
    show: async (features) => {
      await ready;
      map.getSource("answer").setData({ type: "FeatureCollection", features });
    },
    toggle: async (group, isShown) => {
      await ready;
      for (const layer of map.getStyle().layers) {
        if (layer.metadata?.group === group) {
          map.setLayoutProperty(layer.id, "visibility", isShown ? "visible" : "none");
        }
      }
    },
    // Of all the layers of a group only the features with this value.
    choose: async (group, field, value) => {
      await ready;
      for (const layer of map.getStyle().layers) {
        if (layer.metadata?.group === group) map.setFilter(layer.id, ["==", ["get", field], value]);
      }
    },
    turnTo: async (chosen) => {
      await ready;
      day = chosen;
      // A tile on its way would come as it was asked for.
      if (!map.areTilesLoaded()) await new Promise((resolve) => map.once("idle", resolve));
      refresh();
    },
    reload: refresh,
  };
}

// The parts of an answer as they are drawn.
export function drawAnswer(decision, grid, set) {
  const features = [];
  const add = (part, geometry) => features.push({ type: "Feature", properties: { part }, geometry });
  if (set) add("set", set.geometry);
  if (grid) add("grid", grid.geometry);
  const { lon, lat, accuracy_m: accuracy } = decision.location;
  if (lon !== null && accuracy) add("disc", disc(lon, lat, accuracy));
  const component = decision.component;
  if (component) {
    const point = [component.lon, component.lat];
    if (lon !== null) add("link", { type: "LineString", coordinates: [[lon, lat], point] });
    add("component", { type: "Point", coordinates: point });
  }
  return features;
}

function disc(lon, lat, radius) {
  const ring = [];
  const wide = radius / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180));
  for (let step = 0; step <= 48; step += 1) {
    const angle = (step / 48) * 2 * Math.PI;
    ring.push([lon + wide * Math.cos(angle), lat + (radius / METRES_PER_DEGREE) * Math.sin(angle)]);
  }
  return { type: "Polygon", coordinates: [ring] };
}
