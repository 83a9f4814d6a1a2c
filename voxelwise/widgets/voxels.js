// The explorer of single voxels: what is on the page, and what a reader does with it.
// voxels.py makes the data and says what they mean.

const TURNS = {
  ArrowLeft: { sign: "←", step: [-1, 0], name: "left" },
  ArrowUp: { sign: "↑", step: [0, 1], name: "to the front" },
  ArrowDown: { sign: "↓", step: [0, -1], name: "to the back" },
  ArrowRight: { sign: "→", step: [1, 0], name: "right" },
};

// Everything that is on the page, by name.
function layOut(data) {
  const { score, field } = data.colours;
  const scoreColour = colourScale(score.map, 0, score.limit);
  const fieldColour = colourScale(field.map, -field.limit, field.limit);
  const scoreNumbers = ["0", signed(score.limit / 2, 2), signed(score.limit, 1)];
  const fieldNumbers = [`≤ ${signed(-field.limit, 1)}`, "0", `≥ ${signed(field.limit, 1)}`];
  const page = {
    canvas: make("canvas", { tabindex: 0, role: "application" }),
    height: make("span", { class: "height" }),
    range: make("input", { type: "range", min: 0, max: data.filled.length - 1, "aria-label": "Slice" }),
    below: button("▼", "Slice below"),
    above: button("▲", "Slice above"),
    marks: voxelButtons(data.marked),
    pad: Object.values(TURNS).map(({ sign, name }) => button(sign, `Next voxel ${name}`)),
    pointer: make("span", { class: "pointer" }),
    spread: make("span", { class: "spread" }),
    title: make("div", { class: "title" }),
    facts: make("dl"),
  };
  page.slice = sliceView(data, page.canvas, scoreColour);
  const named = (name) => (data.truth ? make("div", { class: "name" }, name) : "");
  page.field = fieldView(data, fieldColour, named("found"));
  page.truth = data.truth && fieldView(data, fieldColour, named("put in"));
  page.course = data.courses && courseView();
  page.stage = stage(page.canvas, ["L", "R"], page.height);
  page.brain = make("div", { class: "brain" }, page.stage,
    colourBar(scoreColour, 0, score.limit, scoreNumbers, "R² on held-out runs. Grey: not above 0",
      page.spread, page.pointer),
    make("div", { class: "controls" }, page.below, page.range, page.above),
    make("div", { class: "controls" },
      group("Marked voxels", ...page.marks), group("Move to the next voxel", ...page.pad)));
  page.parts = make("div", { class: "parts two" }, page.brain,
    make("div", { class: "facing" }, page.title, page.facts,
      make("div", { class: "fields" }, page.field.element, ...(data.truth ? [page.truth.element] : [])),
      colourBar(fieldColour, -field.limit, field.limit, fieldNumbers, "Weight of a pixel (SD per unit)")),
    ...(data.courses ? [page.course.element] : []));
  return page;
}

// Show a voxel of the slice of the pinned one.
function draw(data, page, voxel, pinned) {
  const k = data.place(pinned)[2], mark = data.mark(voxel), rows = describe(data, voxel), z = data.heights[k];
  page.slice.draw(k, voxel, pinned);
  page.field.draw(data.field(voxel),
    `Receptive field of voxel ${voxel}. Strongest pixel (row, column): ${rows["Strongest pixel"]}.`);
  page.truth?.draw(data.trueField(voxel), `True field of voxel ${voxel}`);
  if (data.courses) {
    const { measured, predicted } = data.course(voxel);
    page.course.draw(`voxel ${voxel}`, [...measured.keys()], measured, predicted);
  }
  page.title.replaceChildren(`Voxel ${voxel}`);
  if (mark) page.title.append(make("span", { class: "letter", style: `--mark: ${mark.colour}` }, mark.name));
  page.title.append(make("span", { class: "how" }, voxel === pinned ? "pinned" : "pointed at"));
  page.facts.replaceChildren(
    ...Object.entries(rows).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
  const share = (value) => 100 * clip(value / data.colours.score.limit, 0, 1);
  const [mean, low, high] = data.score(voxel).map(share);
  page.pointer.style.left = `${mean}%`;
  Object.assign(page.spread.style, { left: `${low}%`, width: `${high - low}%` });
  page.height.textContent = `z = ${signed(z, Number.isInteger(z) ? 0 : 1)} mm`;
  page.range.value = data.filled.indexOf(k);
  page.range.setAttribute("aria-valuetext", page.height.textContent);
  page.canvas.setAttribute("aria-label", `Brain slice at ${page.height.textContent}. ` +
    "Arrow keys move to the next voxel, page up and page down to the next slice.");
  press(page.marks, data.marked.findIndex(({ column }) => column === pinned));
}

// The voxel that the page's address names, if there is one.
function linked(data) {
  const [, voxel] = /^#voxel=(\d+)$/.exec(location.hash) || [];
  return data.slices.flat().includes(Number(voxel)) ? Number(voxel) : undefined;
}

// Have the page's own address name a voxel: `#...` alone would be taken from a <base>, or from the page around.
function nameInAddress(voxel) {
  const address = new URL(location);
  address.hash = `voxel=${voxel}`;
  history.replaceState(null, "", address);
}

function explore(root) {
  const data = read(dataOf(root)), page = layOut(data);
  // The voxel that stays, the one under the mouse if any, and where in the slice the reader last chose to be.
  let pinned = linked(data) ?? data.marked[0].column, hovered, aim = data.place(pinned);
  const slice = () => data.place(pinned)[2];
  const { element: status, say } = speaker();
  let naming;

  function show() {
    const voxel = hovered ?? pinned;
    draw(data, page, voxel, pinned);
    Object.assign(root.dataset, { voxel, pinned, slice: slice() });
  }
  function hover(voxel) {
    if (voxel === hovered) return;
    hovered = voxel;
    show();
  }
  function turnTo(voxel) {
    [pinned, hovered, aim] = [voxel, undefined, data.place(voxel)];
    show();
  }
  // What the reader pins can be linked to (JupyterLab's address is its own), and the other views turn to it.
  function pin(voxel, keepAim) {
    const aimed = aim;
    turnTo(voxel);
    if (keepAim) aim = aimed;
    clearTimeout(naming);  // browsers refuse too many names at a time
    if (!document.body.dataset.jpThemeLight) naming = setTimeout(() => nameInAddress(voxel), 500);
    lead(root, data.position(voxel));
    const mark = data.mark(voxel), rows = Object.entries(describe(data, voxel));
    const told = rows.map(([name, text]) => `${name} ${text}`);
    say(`Voxel ${voxel}${mark ? `, marked ${mark.name}` : ""}. ${told.join("; ")}.`);
  }
  function turn({ step, name }) {
    const next = neighbour(data, pinned, ...step);
    next === undefined ? say(`No voxel further ${name} in this slice.`) : pin(next);
  }
  // To one of the slices that hold voxels, by its number among them.
  function go(number) {
    if (number in data.filled) pin(nearest(data, data.filled[number], aim[0], aim[1]), true);
    else say(`No voxel further ${number < 0 ? "down" : "up"}.`);
  }
  const climb = (step) => go(data.filled.indexOf(slice()) + step);

  page.canvas.addEventListener("keydown", (event) => {
    if (modified(event)) return;
    if (event.key in TURNS) turn(TURNS[event.key]);
    else if (event.key === "PageUp") climb(1);
    else if (event.key === "PageDown") climb(-1);
    else return;
    event.preventDefault();
  });
  // A mouse shows what it points at; a finger that is drawn across the slice pins, as a click and a tap do.
  page.canvas.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse") return hover(page.slice.voxelAt(event, slice(), 0));
    const voxel = page.slice.voxelAt(event, slice(), 24);
    if (voxel !== undefined && voxel !== pinned) pin(voxel);
  });
  page.canvas.addEventListener("pointerleave", () => hover(undefined));
  undoScrolled(page.canvas, () => pinned, (before) => pin(before));
  page.canvas.addEventListener("click", (event) => {
    const voxel = page.slice.voxelAt(event, slice(), event.pointerType === "mouse" ? 8 : 24);
    if (voxel !== undefined) pin(voxel);
  });
  const turnToKnown = (voxel) => { if (voxel !== undefined && voxel !== pinned) turnTo(voxel); };
  follow(root, (position) => turnToKnown(data.voxelOn(position)));
  addEventListener("hashchange", () => {
    const voxel = linked(data);
    if (voxel !== undefined && voxel !== pinned) pin(voxel);
  });
  page.range.addEventListener("input", () => go(Number(page.range.value)));
  page.below.addEventListener("click", () => climb(-1));
  page.above.addEventListener("click", () => climb(1));
  page.marks.forEach((element, n) => element.addEventListener("click", () => pin(data.marked[n].column)));
  page.pad.forEach((element, n) => element.addEventListener("click", () => turn(Object.values(TURNS)[n])));

  function resize() {
    page.slice.fit(page.stage.clientWidth);
    const height = page.brain.clientWidth ? 300 : 200;  // 0: one under the other
    for (const field of [page.field, page.truth]) field?.fit(field.element.clientWidth, height);
    page.course?.fit();
    show();
  }
  root.model = data;  // for whoever wants the numbers behind the pictures
  page.slice.load(show);
  settle(root, page.parts, status, resize);
}

start("voxels", explore);
