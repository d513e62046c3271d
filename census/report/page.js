const byId = (id) => document.getElementById(id);
const WORDS = {
  zh: { severity: '全部级别', rule: '全部规则', class: '全部类别', file: '全部文件', words: '编码、文字…', refused: '不合格', warning: '存疑',
    row: '行', why: '依据', fix: '如何修改', place: '位置', noPlace: '没有可显示的位置', in: '放大', out: '缩小', all: '全图', unknown: '未知', noClass: '无类别',
    listed: (n, all) => `本页列出 ${n} 条问题，共 ${all} 条；每条规则先列最前面的，完整清单见问题图层和工作簿。`,
    thinned: '底图只画出部分点。', leftOut: '底图过于复杂，未画：', old: '浏览器过旧，无法显示地图与清单：请使用 2023 年以后的版本，或查看工作簿。' },
  en: { severity: 'all severities', rule: 'all rules', class: 'all classes', file: 'all files', words: 'code, words …', refused: 'refused', warning: 'warning',
    row: 'row', why: 'Why it is a rule', fix: 'How to fix it', place: 'Place', noPlace: 'no place that could be shown', in: 'zoom in', out: 'zoom out', all: 'whole city', unknown: 'not known', noClass: 'no class',
    listed: (n, all) => `This page lists ${n} of ${all} faults, the first ones of every rule; the layer of faults and the workbook have all.`,
    thinned: 'Not every point is drawn.', leftOut: 'Too detailed to be drawn: ', old: 'This browser is too old to show the map and the list: use one from 2023 or later, or the workbook.' },
};
const ROW_PX = 48;
const start = (data) => {
  const { strings, faults, rules, classes } = data;
  const count = faults.number.length;
  const text = (column, fault) => strings[faults[column][fault]];
  const language = () => document.documentElement.classList.contains('zh') ? 'zh' : 'en';
  const word = (name) => WORDS[language()][name];
  const nameOf = (code) => code ? `${code} ${classes[code] || ''}`.trim() : word('noClass');
  let shown = [], chosen = -1;

  const list = byId('list'), rows = byId('rows');
  const element = (tag, className, content) => {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (content !== undefined) made.textContent = content;
    return made;
  };
  const pair = (above, below, className) => {
    const cell = element('div');
    cell.append(element(className ? 'b' : 'div', className || 'cut', above), element('div', 'soft cut', below));
    return cell;
  };
  const rowOf = (fault) => {
    const row = element('div', fault === chosen ? 'row chosen' : 'row');
    const kind = faults.severity[fault] ? 'error' : 'warning', file = text('file', fault);
    row.dataset.fault = fault;
    row.append(
      pair('#' + faults.number[fault], faults.severity[fault] ? word('refused') : word('warning')),
      pair(text('rule', fault), text('class', fault), kind),
      pair(text('code', fault) || '—', `${file.split('/').pop()} · ${faults.row[fault]}`),
      element('div', 'what', text(language(), fault)),
    );
    row.title = `${file} · ${word('row')} ${faults.row[fault]}`;
    return row;
  };
  const fill = () => {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW_PX) - 5);
    const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / ROW_PX) + 10);
    rows.style.top = first * ROW_PX + 'px';
    rows.replaceChildren(...shown.slice(first, last).map(rowOf));
  };
  const entry = (name, value) => {
    const box = element('div');
    box.append(element('dt', '', name), element('dd', '', value));
    return box;
  };
  const describe = () => {
    const box = byId('detail');
    box.hidden = chosen < 0;
    if (chosen < 0) return;
    const rule = rules[text('rule', chosen)] || {}, tongue = language();
    const title = element('h3');
    title.append(element('b', faults.severity[chosen] ? 'error' : 'warning', text('rule', chosen)), ' ' + text(tongue, chosen));
    const place = faults.at[2 * chosen] === null ? word('noPlace')
      : faults.at.slice(2 * chosen, 2 * chosen + 2).map((cm, axis) => (data.origin[axis] + cm / 100).toFixed(2)).join(', ');
    box.replaceChildren(title, element('p', 'soft',
      `#${faults.number[chosen]} · ${text('file', chosen)} · ${word('row')} ${faults.row[chosen]} · ${text('code', chosen) || '—'} · ${text('class', chosen) ? nameOf(text('class', chosen)) : text('dataset', chosen)} · ${word('place')}: ${place}`));
    for (const part of ['why', 'fix']) {
      const told = rule[`${part}_${tongue}`];
      if (!told) continue;
      const line = element('p');
      line.append(element('b', '', word(part) + ': '), told);
      box.append(line);
    }
    const record = data.records[chosen], fields = element('dl');
    if (record) for (let k = 0; k < record.length; k += 2) fields.append(entry(strings[record[k]], strings[record[k + 1]]));
    box.append(fields);
  };
  const choose = (fault, isFromList) => {
    chosen = fault;
    map.choose(fault, isFromList);
    const index = shown.indexOf(fault);
    if (!isFromList && index >= 0) list.scrollTop = index * ROW_PX - list.clientHeight / 2;
    fill();
    describe();
  };
  const map = makeMap(byId('map'), data, (fault) => choose(fault, false));

  const filters = { rule: 'rule', class: 'class', file: 'file' };
  const labels = { rule: (value) => value, class: nameOf, file: (value) => value };
  const options = () => {
    const set = (select, head, pairs) => {
      const value = select.value;
      select.replaceChildren(new Option(head, ''), ...pairs.map(([id, label]) => new Option(label, id)));
      select.value = value;
    };
    set(byId('severity'), word('severity'), [['1', word('refused')], ['0', word('warning')]]);
    for (const [id, column] of Object.entries(filters)) {
      const tally = new Map();
      for (const number of faults[column]) tally.set(number, (tally.get(number) || 0) + 1);
      const pairs = [...tally].map(([number, n]) => [String(number), `${labels[id](strings[number])} (${n})`, strings[number]]);
      set(byId(id), word(id), pairs.sort((a, b) => (a[2] < b[2] ? -1 : 1)));
    }
    byId('words').placeholder = word('words');
    for (const id of ['in', 'out', 'all']) byId(id).title = word(id);
  };
  const filter = () => {
    const severity = byId('severity').value, words = byId('words').value.trim().toLowerCase();
    const wanted = Object.entries(filters).map(([id, column]) => [faults[column], byId(id).value]).filter((each) => each[1] !== '');
    // Each distinct text is looked into once.
    const hits = words ? strings.map((each) => each.toLowerCase().includes(words)) : null;
    const fits = (fault) => (severity === '' || faults.severity[fault] === +severity)
      && wanted.every(([column, value]) => column[fault] === +value)
      && (!hits || hits[faults.code[fault]] || hits[faults.zh[fault]] || hits[faults.en[fault]] || hits[faults.file[fault]]
        || (data.records[fault] || []).some((number) => hits[number]));
    shown = [];
    for (let fault = 0; fault < count; fault += 1) if (fits(fault)) shown.push(fault);
    byId('shown').value = `${shown.length} / ${count}`;
    byId('space').style.height = shown.length * ROW_PX + 'px';
    list.scrollTop = 0;
    fill();
    map.show(shown);
  };
  const remark = () => {
    const parts = [];
    if (data.total > count) parts.push(word('listed')(count, data.total));
    if (data.ground.thinned) parts.push(word('thinned'));
    if (data.ground.left_out.length) parts.push(word('leftOut') + data.ground.left_out.join(', '));
    byId('note').textContent = parts.join(' ');
    byId('note').hidden = !parts.length;
  };
  const speak = () => { options(); remark(); fill(); describe(); };
  const narrow = (id, value) => {
    const number = strings.indexOf(value);
    byId('filters').reset();
    byId(id).value = value === '' ? '0' : String(number);
    filter();
    byId('faults').scrollIntoView({ behavior: 'smooth' });
  };

  for (const id of ['severity', ...Object.keys(filters), 'words']) byId(id).addEventListener('input', filter);
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('filters').addEventListener('reset', () => setTimeout(filter));
  byId('in').onclick = () => map.zoom(1.6);
  byId('out').onclick = () => map.zoom(1 / 1.6);
  byId('all').onclick = () => map.all();
  list.addEventListener('scroll', fill);
  new ResizeObserver(fill).observe(list);
  list.addEventListener('click', (event) => {
    const row = event.target.closest('.row');
    if (row) choose(+row.dataset.fault, true);
  });
  list.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !shown.length) return;
    event.preventDefault();
    const index = Math.min(shown.length - 1, Math.max(0, shown.indexOf(chosen) + step));
    if (index * ROW_PX < list.scrollTop) list.scrollTop = index * ROW_PX;
    if ((index + 1) * ROW_PX > list.scrollTop + list.clientHeight) list.scrollTop = (index + 1) * ROW_PX - list.clientHeight;
    choose(shown[index], true);
  });
  for (const row of document.querySelectorAll('#rules tr[data-rule]')) row.onclick = () => narrow('rule', row.dataset.rule);
  for (const row of document.querySelectorAll('#classes tr[data-class]')) row.onclick = () => narrow('class', row.dataset.class);
  document.addEventListener('spoken', speak);
  speak();
  filter();
  window.report = { map, choose };
  document.documentElement.dataset.ready = 'yes';
};

const KEY = 'wanmi-census-language';
const speak = (tongue) => {
  document.documentElement.className = tongue;
  document.documentElement.lang = tongue === 'zh' ? 'zh-CN' : 'en';
  document.dispatchEvent(new Event('spoken'));
};
const remembered = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
speak(remembered() || (navigator.language.startsWith('zh') ? 'zh' : 'en'));
byId('language').onclick = () => {
  const tongue = document.documentElement.className === 'zh' ? 'en' : 'zh';
  try { localStorage.setItem(KEY, tongue); } catch { /* a page from a file may not be allowed to remember */ }
  speak(tongue);
};
const read = async () => {
  const box = byId('data');
  if (box.dataset.kind === 'plain') return JSON.parse(box.textContent);
  const bytes = Uint8Array.from(atob(box.textContent), (sign) => sign.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
};
read().then(start, () => {
  byId('note').textContent = `${WORDS.zh.old} ${WORDS.en.old}`;
  byId('note').hidden = false;
});
