// The pad, the responses and what is read from them: what is on the page, and what a reader does with it.
// draw.py makes the data and says what they mean.

const TIMES = [1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 70, 100];
const HINT = "Draw on the pad. Point at a coloured square of the brain, a voxel, to see which part of the pad it watches; " +
  "at a pixel, to see which voxels watch it.";
const written = (r) => `r\u00a0=\u00a0${signed(r, 2)}`;  // in one piece, as below

// How alike two pictures are, in words.
function alike(r) {
  const words = [[0.9, "Nearly the same"], [0.75, "Much alike"], [0.5, "Alike"], [0.25, "A little alike"]];
  return `${words.find(([least]) => r >= least)?.[1] ?? "Not alike"}: ${written(r)} (1:\u00a0the\u00a0same)`;
}

// Everything that is on the page, by name.
function layOut(data, model) {
  const { map, limit } = data.colours, scale = colourScale(map, 0, limit);
  const { n, y } = data.slices;
  const page = {
    pad: screen(model, data.limits, make("canvas", { tabindex: 0, role: "application" })),
    read: screen(model, data.limits, make("canvas", { role: "img" })),
    blind: screen(model, data.limits, make("canvas", { "aria-hidden": "true" })),
    brain: brainView(data, model, make("canvas", { tabindex: 0, role: "application" }),
      (value) => (value > 0 ? scale(value) : "rgb(96, 112, 128)")),
    presets: data.presets.map(({ sign, name }) => button(sign, name)),
    clear: button("Clear", "Clear the pad"),
    range: make("input", { type: "range", min: 0, max: TIMES.length - 1, value: 0, "aria-label": "Times shown" }),
    shown: make("span", { class: "shown" }),
    again: button("Other noise", "Other noise, as if it were shown anew"),
    play: button("▶ Demo", "Play a demo"),
    words: make("p", { class: "words" }),
    ignorant: make("p", { class: "ignorant" }),
    told: message(HINT),
  };
  const block = (name, ...children) => make("div", { class: name }, ...children);
  page.stage = stage(page.brain.canvas, ["L", "R"]);
  const slices = n > 1 ? `${n} slices from behind, back to front` : "A slice from behind";
  page.parts = block("parts", page.told.element,
    block("pad", block("title", "Draw"), page.pad.canvas),
    group("Drawings", ...page.presets, page.clear, page.play),
    block("brain", block("title", "A simulated brain answers"), page.stage,
      colourBar(scale, 0, limit, ["0", signed(limit / 2, 1), signed(limit, 0)], `${slices}. Signal change in % of baseline; grey: not above 0`)),
    block("read", block("title", "Read back"), page.read.canvas),
    block("beside", page.words, block("without", page.blind.canvas, page.ignorant)),
    block("controls", make("label", {}, page.shown, page.range), page.again),
    make("p", { class: "note" }, data.note));
  page.brain.canvas.setAttribute("aria-label", `Responses of ${model.nVoxels} voxels on slices of the brain, from ` +
    `y = ${signed(y[0], 0)} to ${signed(y[n - 1], 0)} mm. Arrow keys move from voxel to voxel.`);
  page.pad.canvas.setAttribute("aria-label", `Pad of ${model.rows} by ${model.columns} pixels. ` +
    "Arrow keys move, the space bar paints or wipes a pixel.");
  return page;
}

function drawAndRead(root) {
  const data = dataOf(root), model = readModel(data), page = layOut(data, model), [low, high] = data.limits;
  const stimulus = new Float64Array(model.nPixels).fill(low), { element: status, say } = speaker();
  let seed = 1, pixel, voxel, painting = false, responses, r, own;  // own: what was there when the demo began
  const white = () => [...stimulus.keys()].filter((p) => stimulus[p] === high);
  const times = () => TIMES[Number(page.range.value)];

  function work() {
    const noise = model.noise(seed, times());
    responses = model.respond(stimulus).map((response, v) => response + noise[v]);
    const read = model.readBack(responses);
    [r, root.dataset.r] = Array(2).fill(correlate(stimulus, read));
    page.read.draw(read);
    const even = Number.isNaN(r);
    page.words.textContent = even ? `The pad is ${white().length ? "full: wipe" : "empty: draw"} something` : alike(r);
    page.read.canvas.setAttribute("aria-label", `What is read back. ${page.words.textContent}.`);
    page.ignorant.textContent = "Without the brain, by the average picture" +
      (even ? "." : `: ${written(correlate(stimulus, model.blind))}.`);
    page.shown.textContent = times() === 1 ? "Shown once" : `Shown ${times()} times`;
    page.range.setAttribute("aria-valuetext", page.shown.textContent);
    Object.assign(root.dataset, { shown: times(), white: white().length });
    point();
  }
  // The drawing and the responses, with what is pointed at.
  function point() {
    page.pad.draw(stimulus);
    page.pad.over(voxel === undefined ? undefined : model.field(voxel), pixel);
    page.brain.draw(responses, (v) => !painting && model.sees(v, pixel) >= 0.5, voxel);
    page.told.text.textContent = tell();
    for (const [name, value] of Object.entries({ pixel, voxel })) {
      if (value === undefined) delete root.dataset[name];
      else root.dataset[name] = value;
    }
  }
  function tell() {
    if (voxel !== undefined) {
      const [row, column, size] = model.place(voxel);
      return `Voxel ${model.numbers[voxel]} responds with ${signed(responses[voxel], 1)} %. Its field lies at row ` +
        `${signed(row, 1)}, column ${signed(column, 1)}, and is ${signed(2.355 * size, 1)} pixels wide at half its height.`;
    }
    if (pixel === undefined) return HINT;
    const n = page.brain.shown.filter((v) => model.sees(v, pixel) >= 0.5).length;
    return `Row ${Math.floor(pixel / model.columns)}, column ${pixel % model.columns}, ` +
      `${stimulus[pixel] === high ? "white" : "black"}: seen well by ${n} of these voxels.`;
  }
  function draw(pixels) {
    [pixel, voxel] = [];
    stimulus.fill(low);
    for (const p of pixels) stimulus[p] = high;
    work();
  }
  const speak = () => say(`${page.told.text.textContent} ${page.shown.textContent}. ${page.words.textContent}.`);
  const play = player(root, data.presets, {
    draw,
    playing(on) {
      if (on) own = white();
      else draw(own);
      page.play.textContent = on ? "❚❚ Demo" : "▶ Demo";
      page.play.setAttribute("aria-pressed", on);
      root.dataset.playing = on;
    },
  });
  function act(change) {
    play.stop();
    change();
    speak();
  }

  listen(model, page.pad, {
    isWhite: (p) => stimulus[p] === high,
    // Over a demo, the reader begins on a black pad.
    begin() {
      const playing = root.dataset.playing === "true";
      play.stop();
      if (playing) stimulus.fill(low);
    },
    paint(pixels, toWhite) {
      for (const p of pixels) stimulus[p] = toWhite ? high : low;
      [pixel, voxel, painting] = [pixels.at(-1), undefined, true];  // frames would hide the response
      work();
      speak();
    },
    point(p, spoken) {
      if (p === pixel && !painting) return;
      [pixel, voxel, painting] = [p, undefined, false];
      point();
      if (spoken) speak();
    },
  });
  pointAtVoxels(page.brain, () => responses, (v, spoken) => {
    if (v === voxel) return;
    [pixel, voxel] = [undefined, v];
    point();
    if (spoken) say(page.told.text.textContent);
  });
  page.presets.forEach((element, n) =>
    element.addEventListener("click", () => act(() => draw(data.presets[n].pixels))));
  page.clear.addEventListener("click", () => act(() => draw([])));
  page.range.addEventListener("input", () => act(work));
  page.again.addEventListener("click", () => act(() => { seed += 1; work(); }));
  page.play.addEventListener("click", () => play.toggle());
  page.play.setAttribute("aria-pressed", false);
  page.play.hidden = !data.presets.length;

  function resize() {
    page.pad.fit(page.pad.canvas.parentElement.clientWidth);
    page.read.fit(page.read.canvas.parentElement.clientWidth);
    page.blind.fit(48);
    page.brain.fit(Math.min(page.stage.parentElement.clientWidth, 420));
    page.blind.draw(model.blind);
    work();
  }
  root.model = { ...model, correlate };
  draw(data.presets[0]?.pixels ?? [...stimulus.keys()]);  // white where no drawing has room
  page.brain.load(point);
  settle(root, page.parts, status, resize);
}

start("draw", drawAndRead);
