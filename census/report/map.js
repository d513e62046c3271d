// The map of faults, in metres from the origin; every drawing starts anew from what is shown.
const makeMap = (canvas, data, pick) => {
  const at = data.faults.at, severity = data.faults.severity, count = severity.length;
  const colours = ['#f59b00', '#c8001a'];
  let shown = [], chosen = -1, context;

  const linesOf = (lines, unit, isRelative) => {
    const path = new Path2D();
    for (const line of lines) {
      let x = line[0], y = line[1];
      path.moveTo(x * unit, y * unit);
      for (let k = 2; k < line.length; k += 2) {
        x = isRelative ? x + line[k] : line[k];
        y = isRelative ? y + line[k + 1] : line[k + 1];
        path.lineTo(x * unit, y * unit);
      }
    }
    return path;
  };
  const ground = {};
  for (const name of ['shapes', 'roads', 'grids', 'areas']) ground[name] = linesOf(data.ground[name], 0.1, true);
  const outlines = new Map();
  for (const [place, lines] of Object.entries(data.outlines)) outlines.set(+place, linesOf(lines, 0.01, false));

  const placeOf = (fault) => at[2 * fault] === null ? null : [at[2 * fault] / 100, at[2 * fault + 1] / 100];

  const stroke = (path, colour, width) => {
    context.strokeStyle = colour;
    context.lineWidth = width / view.scale;
    context.stroke(path);
  };
  const dots = () => {
    const places = data.ground.components, size = view.scale > 2 ? 4 : view.scale > 0.3 ? 2.5 : 1.5;
    context.fillStyle = '#9fb2c6';
    for (let k = 0; k < places.length; k += 2) {
      const [x, y] = view.toScreen(places[k] / 10, places[k + 1] / 10);
      if (view.isSeen(x, y)) context.fillRect(x - size / 2, y - size / 2, size, size);
    }
  };
  const marks = () => {
    const radius = view.scale > 1 ? 5 : shown.length > 5000 ? 1.5 : 3.5;
    for (const kind of [0, 1]) { // refused rows lie above
      context.fillStyle = colours[kind];
      for (const fault of shown) {
        if (severity[fault] !== kind || at[2 * fault] === null) continue;
        const [x, y] = view.toScreen(at[2 * fault] / 100, at[2 * fault + 1] / 100);
        if (!view.isSeen(x, y)) continue;
        if (shown.length > 5000) { context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius); continue; }
        context.beginPath();
        context.arc(x, y, radius, 0, 7);
        context.fill();
      }
    }
    const place = chosen < 0 ? null : placeOf(chosen);
    if (!place) return;
    const [x, y] = view.toScreen(...place);
    context.beginPath();
    context.arc(x, y, 10, 0, 7);
    context.lineWidth = 5; context.strokeStyle = '#fff'; context.stroke();
    context.lineWidth = 3; context.strokeStyle = '#1f62a8'; context.stroke();
  };
  const paint = (of) => {
    context = of;
    view.inMetres();
    stroke(ground.shapes, '#d8c9a8', 0.8);
    stroke(ground.roads, '#b9c4d0', 1);
    stroke(ground.grids, '#ef8abf', 0.8);
    stroke(ground.areas, '#555c68', 1.6);
    view.inPixels();
    dots();
    view.inMetres();
    const isDense = shown.length > 5000 && view.scale < 0.2; // from afar, points say where they are
    for (const fault of shown) {
      const path = isDense ? null : outlines.get(fault);
      if (path) stroke(path, colours[severity[fault]], fault === chosen ? 4 : 1.8);
    }
    view.inPixels();
    marks();
  };
  const nearest = (x, y) => {
    let best = -1, least = 12 * 12;
    for (const fault of shown) {
      if (at[2 * fault] === null) continue;
      const [u, v] = view.toScreen(at[2 * fault] / 100, at[2 * fault + 1] / 100);
      const away = (u - x) ** 2 + (v - y) ** 2 - (fault === chosen ? -1 : 0);
      if (away < least) { least = away; best = fault; }
    }
    return best;
  };

  const click = (x, y) => { const fault = nearest(x, y); if (fault >= 0) pick(fault); };
  const view = makeView(canvas, data.extent, { paint, click });

  return {
    count,
    zoom: view.zoom,
    all: view.all,
    show: (faults) => {
      // Rare faults are drawn last, above those that every row has.
      const often = new Map();
      for (const fault of faults) often.set(data.faults.rule[fault], (often.get(data.faults.rule[fault]) || 0) + 1);
      shown = faults.slice().sort((a, b) => often.get(data.faults.rule[b]) - often.get(data.faults.rule[a]));
      view.draw();
    },
    choose: (fault, isMoving) => {
      chosen = fault;
      const place = fault < 0 ? null : placeOf(fault);
      if (place && isMoving) view.go(place, 2);
      else view.draw();
    },
    screenOf: (fault) => { const place = placeOf(fault); return place && view.toScreen(...place); },
  };
};
