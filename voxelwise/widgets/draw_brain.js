// The slices of the brain, side by side on one canvas.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };  // rightwards, down

function brainView(data, model, canvas, colour) {
  const { width, height, n, side, picture: address } = data.slices;
  const columns = side * width, rows = Math.ceil(n / side) * height;
  const context = canvas.getContext("2d"), picture = new Image();
  const shown = [], xs = [], ys = [];
  for (let v = 0; v < model.nVoxels; v++) {
    const [column, row, slice] = model.places.subarray(3 * v, 3 * v + 3);
    if (slice >= 0) shown.push(v);
    xs[v] = (slice % side) * width + column;
    ys[v] = Math.floor(slice / side) * height + height - 1 - row;
  }
  let cell = 1;
  const best = (cost) => shown.reduce((least, v) => (cost(v) < cost(least) ? v : least), shown[0]);
  return {
    canvas, shown,
    load(then) {
      picture.addEventListener("load", then);
      picture.src = address;
    },
    fit(room) { cell = fit(canvas, columns, rows, room); },
    // Those voxels are framed that `sees(voxel)` is true for; `pointed` has a larger frame.
    draw(responses, sees, pointed) {
      context.globalAlpha = 1;
      context.fillStyle = "#000";
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.globalAlpha = 0.5;  // dim, so that the responses shine
      if (picture.complete) context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      context.globalAlpha = 0.92;
      for (const v of shown) {
        context.fillStyle = colour(responses[v]);
        context.fillRect(xs[v] * cell, ys[v] * cell, cell, cell);
      }
      context.globalAlpha = 1;
      context.strokeStyle = "#fff";
      context.lineWidth = Math.max(1, cell / 4);
      const inset = context.lineWidth / 2, length = cell - context.lineWidth;
      for (const v of shown.filter(sees)) context.strokeRect(xs[v] * cell + inset, ys[v] * cell + inset, length, length);
      if (pointed === undefined) return;
      for (const [paint, out] of [["#000", 3], ["#fff", 2]]) {
        const rim = Math.max(1, Math.round(cell / 6));
        context.strokeStyle = paint;
        context.lineWidth = rim * (out === 3 ? 4 : 2);
        context.strokeRect(xs[pointed] * cell - rim, ys[pointed] * cell - rim, cell + 2 * rim, cell + 2 * rim);
      }
    },
    // The voxel nearest to a place of the page, up to `reach` pixels off it, or undefined.
    voxelAt(event, reach) {
      const box = canvas.getBoundingClientRect(), size = box.width / columns;
      const x = (event.clientX - box.left) / size - 0.5, y = (event.clientY - box.top) / size - 0.5;
      const v = best((voxel) => (xs[voxel] - x) ** 2 + (ys[voxel] - y) ** 2);
      return Math.hypot(xs[v] - x, ys[v] - y) * size <= Math.max(reach, size) ? v : undefined;
    },
    // The next voxel to a side, straight on if there is one near.
    neighbour(v, right, down) {
      const cost = (other) => {
        const [dx, dy] = [xs[other] - xs[v], ys[other] - ys[v]];
        const along = dx * right + dy * down;
        return along > 0 ? along + 3 * Math.abs(dx * down + dy * right) : Infinity;
      };
      const next = best(cost);
      return cost(next) < Infinity ? next : v;
    },
    strongest: (responses) => best((v) => -responses[v]),
  };
}

// Have the slices tell, by mouse, finger and keys, which voxel is pointed at. `choose(voxel or undefined, spoken)`.
function pointAtVoxels(view, responses, choose) {
  const { canvas } = view;
  let voxel;
  const pick = (found, spoken) => { voxel = found; choose(found, spoken); };
  const at = (event) => pick(view.voxelAt(event, event.pointerType === "mouse" ? 0 : 24));
  canvas.addEventListener("pointermove", at);
  canvas.addEventListener("pointerdown", at);
  canvas.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") pick(undefined); });
  canvas.addEventListener("blur", () => pick(undefined));
  const start = () => voxel ?? view.strongest(responses());
  canvas.addEventListener("focus", () => { if (canvas.matches(":focus-visible")) pick(start(), true); });
  canvas.addEventListener("keydown", (event) => {
    if (modified(event) || !(event.key in ARROWS)) return;
    event.preventDefault();
    pick(view.neighbour(start(), ...ARROWS[event.key]), true);
  });
}
