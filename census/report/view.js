'use strict';
// A view of metres on a canvas, north up: wheel, drag, arrow keys and + − move it; `paint` draws it anew.
const makeView = (canvas, extent, { paint, click }) => {
  const context = canvas.getContext('2d'), ratio = () => window.devicePixelRatio || 1;
  const [west, south, east, north] = extent;
  let wide = 1, tall = 1, scale = 1, middle = [(west + east) / 2, (south + north) / 2]; // pixels, pixels per metre, metres

  const toScreen = (x, y) => [wide / 2 + (x - middle[0]) * scale, tall / 2 - (y - middle[1]) * scale];
  const toGround = (x, y) => [middle[0] + (x - wide / 2) / scale, middle[1] - (y - tall / 2) / scale];
  const whole = () => 0.94 * Math.min(wide / Math.max(east - west, 20), tall / Math.max(north - south, 20));
  const isSeen = (x, y) => x > -9 && x < wide + 9 && y > -9 && y < tall + 9;
  const inPixels = () => context.setTransform(ratio(), 0, 0, ratio(), 0, 0);
  const inMetres = () => {
    const side = scale * ratio();
    context.setTransform(side, 0, 0, -side, (wide / 2 - middle[0] * scale) * ratio(), (tall / 2 + middle[1] * scale) * ratio());
  };

  const bar = () => {
    const steps = [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000];
    const metres = steps.find((step) => step * scale > 50) ?? 50000;
    const box = canvas.parentNode.querySelector('.scale');
    box.firstElementChild.style.width = metres * scale + 'px';
    box.lastElementChild.textContent = metres < 1000 ? metres + ' m' : metres / 1000 + ' km';
  };
  let isWaiting = false;
  const draw = () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      const size = [Math.round(wide * ratio()), Math.round(tall * ratio())];
      if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      inPixels();
      paint(context);
      bar();
    });
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
  const shift = (x, y) => { middle = [middle[0] - x / scale, middle[1] + y / scale]; draw(); };

  let from = null, isMoved = false;
  canvas.addEventListener('pointerdown', (event) => { from = [event.offsetX, event.offsetY]; isMoved = false; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener('pointermove', (event) => {
    if (!from) return;
    const x = event.offsetX - from[0], y = event.offsetY - from[1];
    if (!isMoved && Math.hypot(x, y) < 4) return;
    isMoved = true;
    from = [event.offsetX, event.offsetY];
    shift(x, y);
  });
  canvas.addEventListener('pointerup', (event) => {
    if (from && !isMoved) click(event.offsetX, event.offsetY);
    from = null;
  });
  canvas.addEventListener('wheel', (event) => { event.preventDefault(); zoom(event.deltaY > 0 ? 0.8 : 1.25, event.offsetX, event.offsetY); }, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step) shift(...step);
    else if (event.key === '+' || event.key === '=') zoom(1.5);
    else if (event.key === '-') zoom(1 / 1.5);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(measure).observe(canvas);
  measure();

  return {
    draw, zoom, toScreen, isSeen, inPixels, inMetres,
    get scale() { return scale; },
    all: () => { middle = [(west + east) / 2, (south + north) / 2]; scale = whole(); draw(); },
    go: ([x, y], least) => { middle = [x, y]; scale = Math.max(scale, least); draw(); },
  };
};
