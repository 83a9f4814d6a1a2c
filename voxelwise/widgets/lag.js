// A lag to drag: what is on the page, and what a reader does with it. lag.py makes the data and says what they mean.

// Correlation of a voxel with what was shown so many volumes before.
function correlation(data, voxel, lag) {
  let [n, x, y, xx, xy, yy, end] = [0, 0, 0, 0, 0, 0, 0];
  for (const length of data.runs) {
    const start = end;
    end += length;
    for (let t = start; t + lag < end; t++) {
      const shown = data.shown[t], value = data.responses[voxel][t + lag];
      [n, x, y, xx, xy, yy] = [n + 1, x + shown, y + value, xx + shown * shown, xy + shown * value, yy + value * value];
    }
  }
  const spread = (xx - (x * x) / n) * (yy - (y * y) / n);
  return spread > 1e-9 ? (xy - (x * y) / n) / Math.sqrt(spread) : 0;  // 0 where one never changes, as in the package
}

// From which volume to which there was something on the screen, of those that are drawn.
function bands(data, lag) {
  const shown = [];
  for (let t = 0; t < data.volumes; t++) {
    if (!data.shown[t]) continue;
    if (shown.length && shown.at(-1)[1] === t) shown.at(-1)[1] = t + 1;
    else shown.push([t, t + 1]);
  }
  const inside = (value) => Math.min(value + lag - 0.5, data.volumes - 1);
  return shown.map(([from, to]) => [Math.max(0, inside(from)), inside(to)]).filter(([from, to]) => to > from);
}

function read(packed) {
  const shown = Array.from(packed.shown, Number);
  return { ...packed, shown, responses: rowsOf(decimals(packed.responses), shown.length) };
}

const inTime = (lag, data) => `${inVolumes(lag)} (${Number((lag * data.seconds).toFixed(2))}\u00a0s)`;
const sentence = (name, time, r, best) =>
  `Voxel ${name}, lag ${time}: correlation ${signed(r, 2)}${best ? ", the highest of all lags" : ""}.`;

function layOut(data) {
  const times = Array.from({ length: data.lags + 1 }, (_, lag) => inTime(lag, data));
  const page = {
    voxels: voxelButtons(data.voxels),
    lag: knob("Lag", { min: 0, max: data.lags, step: 1 }),
    back: button("As in the book"),
    course: chart(190), scores: chart(170), blood: chart(170),
    told: message(sentence("A", longest(times), -1, true)),
  };
  page.parts = make("div", { class: "parts two" },
    make("div", { class: "controls" }, group("Voxel", ...page.voxels), page.back, page.lag.row),
    make("div", { class: "course" }, key({ shown: "on the screen: drag it", held: "response" }), page.course.element),
    page.told.element,
    make("div", { class: "scores" }, key({ train: "correlation, all runs" }), page.scores.element),
    make("div", { class: "blood" }, key({ held: "the blood after a moment on the screen" }), page.blood.element));
  return page;
}

function draw(data, page, { voxel, lag }) {
  const all = Array.from({ length: data.lags + 1 }, (_, each) => correlation(data, voxel, each));
  const { name } = data.voxels[voxel], best = all.indexOf(Math.max(...all));
  const written = inTime(lag, data);
  const response = data.responses[voxel].subarray(0, data.volumes), last = data.volumes - 1;
  const most = 1.05 * Math.max(1, ...response.map(Math.abs)), xs = [...response.keys()], lags = [...all.keys()];
  press(page.voxels, voxel);
  page.lag.set(lag, written);
  page.course.draw({
    label: `Response of voxel ${name}, and what was on the screen ${written} before`, xLabel: "Volume; response in SD",
    x: [0, last], y: [-most, most], xTicks: numbered(ticks(0, last)),
    bands: bands(data, lag), lines: [{ name: "held", xs, ys: response }],
  });
  page.scores.draw({
    label: `Correlation against the lag; ${signed(all[lag], 2)} at ${written}`, xLabel: "Lag (volumes)",
    x: [0, data.lags], y: [Math.min(0, ...all) - 0.08, Math.max(0, ...all) + 0.08],
    xTicks: numbered(lags),
    lines: [{ name: "train", xs: lags, ys: all, dot: [lag, all[lag]] }],
  });
  const times = data.hrf.map((_, n) => n / 10), at = Math.min(data.hrf.length - 1, Math.round(10 * lag * data.seconds));
  page.blood.draw({
    label: `Haemodynamic response, ${signed(data.hrf[at], 2)} of its peak after ${written}`, xLabel: "Seconds",
    x: [0, times.at(-1)], y: [-0.3, 1.1], xTicks: numbered([0, 5, 10, 15, 20]),
    lines: [{ name: "held", xs: times, ys: data.hrf, dot: [times[at], data.hrf[at]] }],
  });
  page.told.text.textContent = sentence(name, written, all[lag], lag === best);
}

function slide(root) {
  const data = read(dataOf(root)), page = layOut(data), { element: status, say } = speaker();
  const setting = { voxel: 0, lag: 0 };
  let held;

  function show() {
    draw(data, page, setting);
    Object.assign(root.dataset, setting);
  }
  function set(change) {
    Object.assign(setting, change);
    show();
    say(page.told.text.textContent);
  }
  page.voxels.forEach((element, voxel) => element.addEventListener("click", () => set({ voxel })));
  page.lag.range.addEventListener("input", () => set({ lag: Number(page.lag.range.value) }));
  page.back.addEventListener("click", () => set({ lag: data.book }));
  // A pressed mouse or a finger takes the bands along.
  const { element } = page.course, at = (event) => page.course.valueAt(event.clientX);
  element.addEventListener("pointerdown", (event) => {
    held = { from: at(event), lag: setting.lag };
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    if (!held || !event.buttons) return;
    const lag = clip(Math.round(held.lag + at(event) - held.from), 0, data.lags);
    if (lag !== setting.lag) set({ lag });
  });
  for (const end of ["pointerup", "pointercancel"]) element.addEventListener(end, () => { held = undefined; });
  undoScrolled(element, () => setting.lag, (lag) => set({ lag }));

  function resize() {
    for (const one of [page.course, page.scores, page.blood]) one.fit();
    show();
  }
  settle(root, page.parts, status, resize);
}

start("lag", slide);
