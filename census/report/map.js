'use strict';
// The map: metres from the origin on a canvas, north up; every drawing starts anew from what is shown.
const makeMap = (canvas, data, pick) => {
  const at = data.faults.at, severity = data.faults.severity, count = severity.length;
  const context = canvas.getContext('2d');
  const [west, south, east, north] = data.extent;
  const colours = ['#f59b00', '#c8001a'];
  let shown = [], chosen = -1, wide = 1, tall = 1;
  let scale = 1, middle = [(west + east) / 2, (south + north) / 2]; // pixels per metre

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

  const toScreen = (x, y) => [wide / 2 + (x - middle[0]) * scale, tall / 2 - (y - middle[1]) * scale];
  const toGround = (x, y) => [middle[0] + (x - wide / 2) / scale, middle[1] - (y - tall / 2) / scale];
  const placeOf = (fault) => at[2 * fault] === null ? null : [at[2 * fault] / 100, at[2 * fault + 1] / 100];
  const whole = () => {
    const across = Math.max(east - west, 20), up = Math.max(north - south, 20);
    return 0.94 * Math.min(wide / across, tall / up);
  };

  const stroke = (path, colour, width) => {
    context.strokeStyle = colour;
    context.lineWidth = width / scale;
    context.stroke(path);
  };
  const dots = () => {
    const places = data.ground.components, size = scale > 2 ? 4 : scale > 0.3 ? 2.5 : 1.5;
    context.fillStyle = '#9fb2c6';
    for (let k = 0; k < places.length; k += 2) {
      const [x, y] = toScreen(places[k] / 10, places[k + 1] / 10);
      if (x > -9 && x < wide + 9 && y > -9 && y < tall + 9) context.fillRect(x - size / 2, y - size / 2, size, size);
    }
  };
  const marks = () => {
    const radius = scale > 1 ? 5 : shown.length > 5000 ? 1.5 : 3.5;
    for (const kind of [0, 1]) { // refused rows lie above
      context.fillStyle = colours[kind];
      for (const fault of shown) {
        if (severity[fault] !== kind || at[2 * fault] === null) continue;
        const [x, y] = toScreen(at[2 * fault] / 100, at[2 * fault + 1] / 100);
        if (x < -9 || x > wide + 9 || y < -9 || y > tall + 9) continue;
        if (shown.length > 5000) { context.fillRect(x - radius, y - radius, 2 * radius, 2 * radius); continue; }
        context.beginPath();
        context.arc(x, y, radius, 0, 7);
        context.fill();
      }
    }
    const place = chosen < 0 ? null : placeOf(chosen);
    if (!place) return;
    const [x, y] = toScreen(...place);
    context.beginPath();
    context.arc(x, y, 10, 0, 7);
    context.lineWidth = 5; context.strokeStyle = '#fff'; context.stroke();
    context.lineWidth = 3; context.strokeStyle = '#1f62a8'; context.stroke();
  };
  const bar = () => {
    const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];
    const metres = steps.find((step) => step * scale > 50) ?? 50000;
    const box = canvas.parentNode.querySelector('.scale');
    box.firstElementChild.style.width = metres * scale + 'px';
    box.lastElementChild.textContent = metres < 1000 ? metres + ' m' : metres / 1000 + ' km';
  };
  const paint = () => {
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(tall * ratio)) {
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(tall * ratio);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scale * ratio, 0, 0, -scale * ratio, (wide / 2 - middle[0] * scale) * ratio, (tall / 2 + middle[1] * scale) * ratio);
    stroke(ground.shapes, '#d8c9a8', 0.8);
    stroke(ground.roads, '#b9c4d0', 1);
    stroke(ground.grids, '#ef8abf', 0.8);
    stroke(ground.areas, '#555c68', 1.6);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    dots();
    context.setTransform(scale * ratio, 0, 0, -scale * ratio, (wide / 2 - middle[0] * scale) * ratio, (tall / 2 + middle[1] * scale) * ratio);
    const isDense = shown.length > 5000 && scale < 0.2; // from afar, points say where they are
    for (const fault of shown) {
      const path = isDense ? null : outlines.get(fault);
      if (path) stroke(path, colours[severity[fault]], fault === chosen ? 4 : 1.8);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    marks();
    bar();
  };
  let isWaiting = false;
  const draw = () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => { isWaiting = false; paint(); });
  };
  const measure = () => {
    const isFirst = wide === 1;
    wide = canvas.clientWidth; tall = canvas.clientHeight;
    if (isFirst) scale = whole();
    draw();
  };
  const zoom = (factor, x = wide / 2, y = tall / 2) => {
    const before = toGround(x, y);
    scale = Math.min(200, Math.max(whole() / 20, scale * factor));
    const after = toGround(x, y);
    middle = [middle[0] + before[0] - after[0], middle[1] + before[1] - after[1]];
    draw();
  };
  const nearest = (x, y) => {
    let best = -1, least = 12 * 12;
    for (const fault of shown) {
      if (at[2 * fault] === null) continue;
      const [u, v] = toScreen(at[2 * fault] / 100, at[2 * fault + 1] / 100);
      const away = (u - x) ** 2 + (v - y) ** 2 - (fault === chosen ? -1 : 0);
      if (away < least) { least = away; best = fault; }
    }
    return best;
  };

  let from = null, isMoved = false;
  canvas.addEventListener('pointerdown', (event) => { from = [event.offsetX, event.offsetY]; isMoved = false; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener('pointermove', (event) => {
    if (!from) return;
    const x = event.offsetX - from[0], y = event.offsetY - from[1];
    if (!isMoved && Math.hypot(x, y) < 4) return;
    isMoved = true;
    middle = [middle[0] - x / scale, middle[1] + y / scale];
    from = [event.offsetX, event.offsetY];
    draw();
  });
  canvas.addEventListener('pointerup', (event) => {
    if (from && !isMoved) { const fault = nearest(event.offsetX, event.offsetY); if (fault >= 0) pick(fault); }
    from = null;
  });
  canvas.addEventListener('wheel', (event) => { event.preventDefault(); zoom(event.deltaY > 0 ? 0.8 : 1.25, event.offsetX, event.offsetY); }, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: [-60, 0], ArrowRight: [60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step) { middle = [middle[0] + step[0] / scale, middle[1] + step[1] / scale]; draw(); }
    else if (event.key === '+' || event.key === '=') zoom(1.5);
    else if (event.key === '-') zoom(1 / 1.5);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(measure).observe(canvas);
  measure();

  return {
    count,
    zoom,
    all: () => { middle = [(west + east) / 2, (south + north) / 2]; scale = whole(); draw(); },
    show: (faults) => {
      // Rare faults are drawn last, above those that every row has.
      const often = new Map();
      for (const fault of faults) often.set(data.faults.rule[fault], (often.get(data.faults.rule[fault]) || 0) + 1);
      shown = faults.slice().sort((a, b) => often.get(data.faults.rule[b]) - often.get(data.faults.rule[a]));
      draw();
    },
    choose: (fault, isMoving) => {
      chosen = fault;
      const place = fault < 0 ? null : placeOf(fault);
      if (place && isMoving) { middle = place; scale = Math.max(scale, 2); }
      draw();
    },
    screenOf: (fault) => { const place = placeOf(fault); return place && toScreen(...place); },
  };
};
