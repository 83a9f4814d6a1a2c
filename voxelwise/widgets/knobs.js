// One voxel and three knobs: what is on the page, and what a reader does with it.
// knobs.py makes the data and says what they mean.

// A penalty to three digits, with a comma between thousands.
const written = (alpha) => Number(alpha.toPrecision(3)).toLocaleString("en-GB", { maximumFractionDigits: 6 });
const powerOfTen = (exponent) => `10${`${exponent}`.replace(/./g, (sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻")}`;

const called = (name) => (name.length > 1 ? `the ${name} voxel` : `voxel ${name}`);

// Everything that is on the page, by name.
function layOut(data) {
  const { map, limit } = data.colours, colour = colourScale(map, -limit, limit), [low, high] = data.exponents;
  const page = {
    voxels: voxelButtons(data.voxels),
    alpha: knob("Penalty", { min: low, max: high, step: 0.1 }),
    lag: knob("Lag", { min: 0, max: data.lags, step: 1 }),
    steps: knob("Lasso steps", { min: 0, max: data.steps.most, step: 0.5, title: "Between two steps the field changes linearly" }),
    back: button("As in the book"),
    fields: Object.fromEntries(["true", "ridge", "lasso"].map((name) => [name, fieldView(data, name, colour)])),
    scores: chart(190), course: courseView(), told: message(longestSentence(data)),
  };
  const numbers = [`≤ ${signed(-limit, 2)}`, "0", `≥ ${signed(limit, 2)}`];
  const views = Object.values(page.fields).map(({ element }) => element);
  page.parts = make("div", { class: "parts two" },
    group("Voxel", ...page.voxels),
    make("div", { class: "knobs" }, page.alpha.row, page.lag.row, page.steps.row, page.back),
    make("div", { class: "seen" }, make("div", { class: "fields" }, ...views),
      colourBar(colour, -limit, limit, numbers, "Weight of a pixel (SD per unit)")),
    page.told.element,
    make("div", { class: "scores" }, key({ train: "R² on training runs", held: "R² on held-out runs" }),
      page.scores.element),
    page.course.element);
  return page;
}

// What is told of both R2.
function tell({ train, held }) {
  const known = Number.isFinite(train) && Number.isFinite(held);
  return known ? `R² ${signed(train, 3)} on training runs, ${signed(held, 3)} on held-out runs.`
    : "no R², since the voxel does not change.";
}

const sentence = (name, alpha, volumes, r2) =>
  `${name[0].toUpperCase()}${name.slice(1)}, penalty ${alpha}, lag ${volumes}: ${tell(r2)}`;

// The longest sentence that can come.
function longestSentence({ voxels, exponents: [low, high], lags }) {
  const alphas = Array.from({ length: 10 * (high - low) + 1 }, (_, n) => written(10 ** (low + n / 10)));
  const names = voxels.map(({ name }) => called(name)), volumes = [0, lags].map(inVolumes);
  return sentence(longest(names), longest(alphas), longest(volumes), { train: -1, held: -1 });
}

// Show a setting of the knobs and what the model makes of it.
function draw(data, page, setting, model) {
  const { voxel, alpha, lag, steps } = setting, { fields, course } = model;
  const name = called(data.voxels[voxel].name), volumes = inVolumes(lag);
  press(page.voxels, voxel);
  page.alpha.set(Math.log10(alpha), written(alpha));
  page.lag.set(lag, volumes);
  page.steps.set(steps, Number(steps.toFixed(1)).toString());

  const ofBook = lag === data.book.lag ? "all runs" : `for lag ${data.book.lag} only`;
  const alone = "Not known: this recording is not simulated.";
  page.fields.true.draw(fields.true, `True field of ${name}`, fields.true ? "put in" : alone);
  page.fields.ridge.draw(fields.ridge, `Ridge field of ${name}, penalty ${written(alpha)}`, "without fold 1");
  page.fields.lasso.draw(fields.lasso, `Lasso field of ${name} after ${Number(steps.toFixed(1))} steps`, ofBook);

  page.course.draw(name, course.volumes, course.measured, course.predicted);
  page.told.text.textContent = sentence(name, written(alpha), volumes, model.r2);
}

// R2 against the penalty, as much of it as is known.
function drawScores(data, page, alpha, { r2, exponents, curves }) {
  const ends = [...curves.train, ...curves.held, ...Object.values(r2), 0, 0.05].filter(Number.isFinite);
  const [low, high] = [Math.min(...ends), Math.max(...ends)], rim = 0.08 * (high - low);
  page.scores.draw({
    label: `R² against the penalty. At penalty ${written(alpha)}: ${tell(r2)}`, xLabel: "Penalty",
    x: data.exponents, y: [low - rim, high + rim],
    xTicks: exponents.filter((_, n) => n % 5 === 0).map((value) => [value, powerOfTen(Math.round(value))]),
    lines: ["train", "held"].map((side) =>
      ({ name: side, xs: exponents, ys: curves[side], dot: [Math.log10(alpha), r2[side]] })),
  });
}

function turn(root) {
  const data = read(dataOf(root)), page = layOut(data), { model, extend, ready } = solver(data), { element: status, say } = speaker();
  const asInBook = () => ({ ...data.book, steps: undefined });  // each voxel has its own number of steps
  const setting = { voxel: 0, ...asInBook() };
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let filling;
  const whole = () => ({ ...setting, steps: setting.steps ?? data.steps.chosen[setting.voxel] });

  function show() {
    const now = whole(), found = model(now);
    draw(data, page, now, found);
    Object.assign(root.dataset, now);
    drawScores(data, page, now.alpha, found);
    cancelAnimationFrame(filling);
    fillIn(now, found);
  }
  // The curves of a voxel and a lag come point by point: all at once they would keep the reader waiting.
  function fillIn(now, found) {
    filling = requestAnimationFrame(() => {
      const more = extend(now);
      if (more) fillIn(now, found); else prepare(now);
      if (!more || !calm.matches) drawScores(data, page, now.alpha, found);
    });
  }
  function prepare(now) {
    filling = requestAnimationFrame(() => { if (ready(now)) prepare(now); });
  }
  function set(change) {
    Object.assign(setting, change);
    show();
    say(page.told.text.textContent);
  }
  page.voxels.forEach((element, voxel) => element.addEventListener("click", () => set({ voxel })));
  page.back.addEventListener("click", () => set(asInBook()));
  const listen = (range, change) => range.addEventListener("input", () => set(change(Number(range.value))));
  listen(page.alpha.range, (exponent) => ({ alpha: 10 ** exponent }));
  listen(page.lag.range, (lag) => ({ lag }));
  listen(page.steps.range, (steps) => ({ steps }));
  // A click on the curves, and a pressed mouse or a finger that is drawn across them, choose the penalty.
  const point = (event) => set({ alpha: 10 ** page.scores.valueAt(event.clientX) });
  page.scores.element.addEventListener("click", point);
  page.scores.element.addEventListener("pointermove", (event) => { if (event.buttons) point(event); });
  undoScrolled(page.scores.element, () => setting.alpha, (alpha) => set({ alpha }));

  function resize() {
    page.scores.fit();
    page.course.fit();
    show();
  }
  root.model = model;  // for whoever wants the numbers behind the pictures
  settle(root, page.parts, status, resize);
}

start("knobs", turn);
