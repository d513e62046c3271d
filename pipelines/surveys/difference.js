(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const element = (id) => document.getElementById(id);
  const ALL = {
    added: ['新增', 'added', '#1a7f37'], removed: ['消失', 'removed', '#c8001a'], recoded: ['疑似改码', 'another code', '#8a3ffc'],
    reshaped: ['变形', 'reshaped', '#8a3ffc'], moved: ['移位', 'moved', '#0b62c4'], changed: ['属性变化', 'changed', '#b36b00'], unchanged: ['未变', 'unchanged', '#5b6472'],
  };
  const NAMES = Object.fromEntries(Object.keys(ALL).filter((kind) => kind in data.counts).map((kind) => [kind, ALL[kind]]));
  const FIELDS = {
    code: '标识码', class_code: '类别', name: '名称', competent: '主管部门', owner: '权属单位', maintainer: '养护单位', condition: '状态',
    ownership_state: '权属状态', initial_date: '初始日期', change_date: '变更日期', feature_class: '要素代码', width_m: '宽度', floors: '层数', material: '材质', elevation_m: '高程', data_source: '数据来源', location_note: '位置描述', remark: '备注',
  };
  const label = (name) => (FIELDS[name] ? FIELDS[name] + ' ' : '') + name.replace('attributes.', '');
  const OUTCOMES = { taken: '采用 taken', waits: '待裁决 waits', stays: '保留现势 live stays' };
  const LIMIT = 400;
  const rows = data.rows;
  let shown = rows, chosen = -1;
  const make = (tag, text, name) => {
    const made = document.createElement(tag);
    if (text !== undefined) made.textContent = text;
    if (name) made.className = name;
    return made;
  };

  // Counts on top: pressing one shows only it.
  for (const [kind, names] of Object.entries(NAMES)) {
    const chip = make('button', undefined, 'chip ' + kind);
    chip.type = 'button';
    chip.append(make('b', data.counts[kind].toLocaleString('en')), make('span', names[0] + ' ' + names[1]));
    chip.disabled = kind === 'unchanged';
    chip.onclick = () => { element('kind').value = element('kind').value === kind ? '' : kind; filter(); };
    chip.dataset.kind = kind;
    element('chips').append(chip);
    if (kind !== 'unchanged') element('kind').append(new Option(names[0] + ' ' + names[1], kind));
  }
  for (const [name, count] of Object.entries(data.fields)) {
    element('field').append(new Option(label(name), name));
    const row = make('tr');
    row.append(make('td', label(name)), make('td', count.toLocaleString('en'), 'n'));
    element('fields').tBodies[0].append(row);
  }
  const kinds = Object.keys(NAMES);
  const tabulate = (id, title, parts) => {
    const head = make('tr');
    head.append(make('th', title), ...kinds.map((kind) => make('th', NAMES[kind][0], 'n')));
    element(id).tHead.append(head);
    for (const [name, part] of Object.entries(parts)) {
      const row = make('tr');
      row.append(make('td', name), ...kinds.map((kind) => make('td', (part[kind] || 0).toLocaleString('en'), 'n')));
      element(id).tBodies[0].append(row);
    }
  };
  for (const code of Object.keys(data.classes)) element('class').append(new Option(code, code));
  tabulate('classes', '类别 class', data.classes);
  element('areas-part').hidden = !data.areas;
  if (data.areas) tabulate('areas', '区域 area', data.areas);
  const isMerge = rows.some((row) => row.outcome);
  for (const part of [element('outcome'), document.querySelector('th.merge')]) part.hidden = !isMerge;
  for (const [value, text] of Object.entries(OUTCOMES)) element('outcome').append(new Option(text, value));

  // The map: city coordinates in metres.
  let context;
  const arrow = (from, to, colour) => {
    const angle = Math.atan2(to[1] - from[1], to[0] - from[0]), length = Math.hypot(to[0] - from[0], to[1] - from[1]);
    context.strokeStyle = context.fillStyle = colour;
    context.beginPath(); context.arc(from[0], from[1], 3, 0, 7); context.stroke();
    if (length < 5) { context.beginPath(); context.arc(to[0], to[1], 3, 0, 7); context.fill(); return; }
    const size = Math.min(9, length);
    context.beginPath(); context.moveTo(from[0], from[1]); context.lineTo(to[0], to[1]); context.stroke();
    context.beginPath(); context.moveTo(to[0], to[1]);
    for (const turn of [0.42, -0.42]) context.lineTo(to[0] - size * Math.cos(angle + turn), to[1] - size * Math.sin(angle + turn));
    context.closePath(); context.fill();
  };
  const symbol = (row, place, colour, size) => {
    context.fillStyle = context.strokeStyle = colour;
    context.beginPath();
    if (row.change === 'removed') {
      context.moveTo(place[0] - size, place[1] - size); context.lineTo(place[0] + size, place[1] + size);
      context.moveTo(place[0] - size, place[1] + size); context.lineTo(place[0] + size, place[1] - size);
      context.stroke();
    } else if (row.change === 'changed') context.fillRect(place[0] - size, place[1] - size, 2 * size, 2 * size);
    else if (row.change === 'recoded') {
      context.moveTo(place[0], place[1] - size - 2); context.lineTo(place[0] + size + 2, place[1]);
      context.lineTo(place[0], place[1] + size + 2); context.lineTo(place[0] - size - 2, place[1]); context.fill();
    } else { context.arc(place[0], place[1], size, 0, 7); context.fill(); }
  };
  const trace = (lines) => {
    context.beginPath();
    for (const line of lines) line.forEach((point, k) => { const [x, y] = view.toScreen(...point); if (k) context.lineTo(x, y); else context.moveTo(x, y); });
    context.stroke();
  };
  const shape = (lines, colour, dash) => {
    context.strokeStyle = colour; context.setLineDash(dash);
    trace(lines);
    context.setLineDash([]);
  };
  const mark = (row, size) => {
    const at = row.now || row.was;
    if (!at) return;
    const place = view.toScreen(...at), colour = NAMES[row.change][2], hasGone = row.change === 'moved' || row.change === 'recoded';
    if (row.was && row.now && row.distance_m > 0 && hasGone) {
      const from = view.toScreen(...row.was);
      if (view.isSeen(...from) || view.isSeen(...place)) arrow(from, place, colour);
      if (row.change === 'recoded') symbol(row, place, colour, size);
    } else if (view.isSeen(...place)) symbol(row, place, colour, size);
    if (row.number !== chosen) return;
    context.strokeStyle = '#111'; context.lineWidth = 2;
    context.beginPath(); context.arc(place[0], place[1], 11, 0, 7); context.stroke(); context.lineWidth = 1.6;
  };
  const paint = (of) => {
    context = of;
    context.strokeStyle = '#c3c9d2'; context.lineWidth = 1;
    trace(data.ground);
    context.fillStyle = '#b4bcc8';
    for (const point of data.still) {
      const [x, y] = view.toScreen(...point);
      if (view.isSeen(x, y)) context.fillRect(x - 1.2, y - 1.2, 2.4, 2.4);
    }
    context.lineWidth = 1.6;
    for (const row of shown) {
      if (row.before) shape(row.before, row.change === 'removed' ? NAMES.removed[2] : '#8a919c', row.change === 'removed' ? [] : [4, 3]);
      if (row.after) shape(row.after, NAMES[row.change][2], []);
    }
    for (const row of shown) mark(row, shown.length > 4000 ? 2 : 4);
  };
  const click = (x, y) => {
    let best = null, nearest = 14;
    for (const row of shown) for (const at of [row.now, row.was]) {
      if (!at) continue;
      const [px, py] = view.toScreen(...at), distance = Math.hypot(px - x, py - y);
      if (distance < nearest) { nearest = distance; best = row; }
    }
    if (best) choose(best, false);
  };
  const view = makeView(element('map'), data.extent, { paint, click });
  element('in').onclick = () => view.zoom(2);
  element('out').onclick = () => view.zoom(0.5);
  element('all').onclick = view.all;

  const body = element('list').tBodies[0];
  const choose = (row, isFromList) => {
    chosen = row.number;
    for (const line of body.rows) line.classList.toggle('chosen', +line.dataset.n === chosen);
    const line = body.querySelector('.chosen');
    if (isFromList) {
      const at = row.now || row.was;
      if (at) view.go(at, 2.5);
      element('map').scrollIntoView({ block: 'nearest' });
    } else if (line) line.scrollIntoView({ block: 'nearest' });
    view.draw();
  };
  const detail = (row) => {
    const cell = make('td', undefined, 'detail');
    if (row.change === 'recoded') cell.append(values('code', [row.live_code, row.code]));
    for (const [name, pair] of Object.entries(row.fields)) cell.append(values(name, pair));
    return cell;
  };
  const values = (name, pair) => {
    const line = make('div');
    line.append(label(name) + ': ', make('span', pair[0] === null ? '∅' : pair[0], 'was'), ' → ', make('b', pair[1] === null ? '∅' : pair[1]));
    return line;
  };
  const list = () => {
    body.replaceChildren(...shown.slice(0, LIMIT).map((row) => {
      const line = make('tr');
      line.dataset.n = row.number;
      const mark = make('td', NAMES[row.change][0] + ' ' + NAMES[row.change][1], 'mark');
      mark.style.color = NAMES[row.change][2];
      const distance = row.distance_m === null || row.distance_m === 0 ? '' : row.distance_m.toFixed(2);
      line.append(mark, make('td', row.code), make('td', row.class_code + ' ' + (row.name || '')), make('td', distance, 'n'),
        detail(row), ...(isMerge ? [make('td', OUTCOMES[row.outcome], row.outcome)] : []), make('td', row.source_row === null ? '' : String(row.source_row), 'n'));
      line.onclick = () => choose(row, true);
      return line;
    }));
    const left = shown.length - Math.min(shown.length, LIMIT);
    const unlisted = data.left ? '另有 ' + data.left + ' 条变化仅在 GeoPackage 中。 ' + data.left + ' more changes are in the GeoPackage only. ' : '';
    element('more').textContent = unlisted + (left ? '列表只显示前 ' + LIMIT + ' 条，请筛选。 The list shows the first ' + LIMIT + ': filter it.' : '');
  };
  const filter = () => {
    const [kind, field, group, outcome] = ['kind', 'field', 'class', 'outcome'].map((id) => element(id).value);
    const words = element('words').value.trim().toLowerCase();
    shown = rows.filter((row) => (!kind || row.change === kind) && (!field || field in row.fields) && (!group || row.class_code === group)
      && (!outcome || row.outcome === outcome) && (!words || row.words.includes(words)));
    for (const chip of element('chips').children) chip.setAttribute('aria-pressed', String(!kind || chip.dataset.kind === kind));
    element('shown').value = shown.length + ' / ' + rows.length;
    list(); view.draw();
  };
  rows.forEach((row, number) => {
    row.number = number;
    row.words = [row.code, row.live_code, row.class_code, row.name, row.source_file, ...Object.values(row.fields).flat()].join(' ').toLowerCase();
  });
  for (const id of ['kind', 'field', 'class', 'outcome', 'words']) element(id).oninput = filter;
  document.querySelector('form').onsubmit = (event) => event.preventDefault();
  filter();
})();
