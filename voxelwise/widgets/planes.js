// The three planes. planes.py makes the data and says what they mean; brainsprite cuts the slices.

const AXES = ["X", "Y", "Z"], NAMES = ["Sagittal", "Coronal", "Axial"];

// A picture of the page's data on a canvas, once it is decoded.
async function unpack(address) {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = make("canvas", { width: picture.width, height: picture.height });
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas;
}

// brainsprite finds its canvases by their names, once; they need not stay on the page.
function startBrainsprite(root, shape, anatomy, overlay) {
  const names = ["canvas", "anatomy", "overlay"].map((name) => `brain-planes-${name}`);
  const holder = make("div", { hidden: "" }, make("canvas"), anatomy, overlay);
  [...holder.children].forEach((canvas, n) => { canvas.id = names[n]; });
  root.append(holder);
  const nbSlice = Object.fromEntries(AXES.map((axis, n) => [axis, shape[n]]));
  const overlaid = { sprite: names[2], nbSlice };
  const brain = brainsprite({ canvas: names[0], sprite: names[1], nbSlice, overlay: overlaid, showLR: false });
  holder.remove();
  return brain;
}

async function show(root) {
  const data = dataOf(root);
  const { shape, sizes, fineness } = data;
  const places = rowsOf(decode(data.places, Int16Array), 3);
  const number = (place) => (place[0] * shape[1] + place[1]) * shape[2] + place[2], scores = new Map();
  decimals(data.scores).forEach((score, n) => scores.set(number(places[n]), score));
  const [anatomy, overlay] = await Promise.all([unpack(data.background), unpack(data.overlay)]);
  const brain = startBrainsprite(root, shape.map((size) => size * fineness), anatomy, overlay);
  const at = [...data.start];

  // Each plane shows two axes: `across` from left to right, `up` from below.
  const planes = [[1, 2], [0, 2], [0, 1]].map(([across, up], normal) => {
    const canvas = make("canvas", { role: "img", width: shape[across] * fineness, height: shape[up] * fineness });
    canvas.style.aspectRatio = `${shape[across] * sizes[across]} / ${shape[up] * sizes[up]}`;
    const lines = ["upright", "level"].map((name) => make("span", { class: name }));
    const ends = normal === 0 ? ["back", "front"] : ["L", "R"];
    const move = (event) => {
      const box = canvas.getBoundingClientRect();
      const inside = (share, size) => clip(Math.floor(share * size), 0, size - 1);
      at[across] = inside((event.clientX - box.left) / box.width, shape[across]);
      at[up] = inside((box.bottom - event.clientY) / box.height, shape[up]);
      moved();
    };
    canvas.addEventListener("click", move);
    canvas.addEventListener("pointermove", (event) => { if (event.buttons) move(event); });
    undoScrolled(canvas, () => [...at], (before) => { Object.assign(at, before); moved(); });
    return { element: stage(canvas, ends, ...lines), draw() {
      canvas.getContext("2d").drawImage(brain.planes[`canvas${AXES[normal]}`], 0, 0);
      lines[0].style.left = `${(100 * (at[across] + 0.5)) / shape[across]}%`;
      lines[1].style.bottom = `${(100 * (at[up] + 0.5)) / shape[up]}%`;
      const place = `${"xyz"[normal]} = ${signed(apply(data.affine, at)[normal], 0)} mm`;
      canvas.setAttribute("aria-label", `${NAMES[normal]} slice of the score map at ${place}`);
    } };
  });
  const sliders = AXES.map((axis, n) => {
    const range = make("input", { type: "range", min: 0, max: shape[n] - 1 });
    range.addEventListener("input", () => { at[n] = Number(range.value); moved(); });
    const millimetres = make("span");
    return { range, millimetres, row: make("label", {}, millimetres, range) };
  });
  const told = make("p", { class: "told" }), voice = speaker();

  function draw() {
    AXES.forEach((axis, n) => { brain.numSlice[axis] = at[n] * fineness; });
    brain.drawAll();
    planes.forEach((plane) => plane.draw());
    const millimetres = apply(data.affine, at).map((mm) => signed(mm, 0)), score = scores.get(number(at));
    sliders.forEach((slider, n) => {
      slider.range.value = at[n];
      slider.range.setAttribute("aria-valuetext", `${millimetres[n]} mm`);
      slider.millimetres.textContent = `${"xyz"[n]} = ${millimetres[n]} mm`;
    });
    const position = apply(data.to_grid, at);
    const value = score === undefined ? "not painted" : `R² ${signed(score, 2)}`;
    told.textContent = `Grid (${position.join(", ")}): ${value}`;
    root.dataset.position = position.join(" ");
  }
  follow(root, (position) => {
    Object.assign(at, apply(data.from_grid, position).map((value, axis) => clip(value, 0, shape[axis] - 1)));
    draw();
  });
  function moved() {
    draw();
    lead(root, apply(data.to_grid, at));
    voice.say(told.textContent);
  }

  const { map, limit } = data.colours, numbers = ["0", signed(limit / 2, 2), signed(limit, 1)];
  const bar = colourBar(colourScale(map, 0, limit), 0, limit, numbers, "R² on held-out runs");
  const parts = make("div", { class: "parts" }, make("div", { class: "planes" }, ...planes.map(({ element }) => element)),
    make("div", { class: "sliders" }, ...sliders.map(({ row }) => row)), told, bar);
  draw();
  root.querySelector("img.still").replaceWith(parts);
  parts.after(voice.element);
}

start("planes", show);
