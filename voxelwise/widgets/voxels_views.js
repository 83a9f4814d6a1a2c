// The two pictures of the explorer: the slice and the field.

// The canvas of the slice: it draws, and tells which voxel lies under a pointer.
function sliceView(data, canvas, colour) {
  const context = canvas.getContext("2d"), picture = new Image(), under = make("canvas");
  const [columns, rows] = data.shape;
  let cell = 1;

  // The slice of the background, cut out before it is enlarged: else its neighbours in the picture shine in at the rim.
  function drawBackground(k) {
    const { columns: n, fineness } = data.background;
    [under.width, under.height] = [columns * fineness, rows * fineness];
    under.getContext("2d").drawImage(picture, -(k % n) * under.width, -Math.floor(k / n) * under.height);
    context.drawImage(under, 0, 0, canvas.width, canvas.height);
  }

  function frame(voxel, paint, width, inset) {
    const [c, r] = data.place(voxel), shift = inset + width / 2;
    context.strokeStyle = paint;
    context.lineWidth = width;
    context.strokeRect(c * cell + shift, (rows - 1 - r) * cell + shift, cell - 2 * shift, cell - 2 * shift);
  }

  function write(letter, voxel, paint, halo) {
    const [c, r] = data.place(voxel), place = [(c + 0.5) * cell, (rows - r - 0.46) * cell];
    Object.assign(context, { font: `bold ${0.5 * cell}px sans-serif`, textAlign: "center", textBaseline: "middle" });
    Object.assign(context, { fillStyle: paint, strokeStyle: "#000", lineWidth: halo, lineJoin: "round" });
    context.strokeText(letter, ...place);
    context.fillText(letter, ...place);
  }

  return {
    load(then) {
      if (!data.background) return;
      picture.addEventListener("load", then);
      picture.src = data.background.picture;
    },
    fit(room) {
      cell = fit(canvas, columns, rows, room, 480);
    },
    draw(k, shown, pinned) {
      const ratio = window.devicePixelRatio || 1;
      const line = Math.round(Math.max(1, Math.min(cell / 8, 1.5 * ratio)));
      context.fillStyle = "#000";
      context.fillRect(0, 0, canvas.width, canvas.height);
      if (data.background && picture.complete) drawBackground(k);
      for (const voxel of data.slices[k]) {
        const [c, r] = data.place(voxel), [score] = data.score(voxel);
        context.fillStyle = score > 0 ? colour(score) : "rgba(96, 112, 128, 0.6)";
        context.fillRect(c * cell, (rows - 1 - r) * cell, cell, cell);
      }
      const marked = data.marked.filter(({ column }) => data.place(column)[2] === k);
      for (const { column } of marked) frame(column, "#000", line, -line);
      for (const { column, colour: paint, name } of marked) {
        frame(column, paint, 2 * line, 0);
        if (cell >= 20 * ratio) write(name, column, paint, 4 * line);
      }
      for (const voxel of new Set([pinned, shown])) {
        frame(voxel, "#000", line, -2 * line);
        frame(voxel, voxel === shown ? "#fff" : "#bbb", line, -line);
      }
    },
    // The voxel nearest to a place of the page, up to `reach` pixels off it, or undefined.
    voxelAt(event, k, reach) {
      const box = canvas.getBoundingClientRect(), size = box.width / columns;
      const c = (event.clientX - box.left) / size - 0.5, r = rows - 0.5 - (event.clientY - box.top) / size;
      const voxel = nearest(data, k, c, r), [vc, vr] = data.place(voxel);
      return Math.max(Math.abs(vc - c), Math.abs(vr - r)) * size <= Math.max(reach, size / 2) ? voxel : undefined;
    },
  };
}

// The image of a field, with the numbers of its rows and columns and dashed lines through the centre of the screen.
function fieldView(data, colour, name) {
  const canvas = make("canvas", { role: "img" }), context = canvas.getContext("2d");
  const tick = (index, n) => make("span", {}, index % Math.ceil(n / 4) ? "" : `${index}`);
  const ticks = (n) => Array.from({ length: n }, (_, index) => tick(index, n));
  const element = make("div", { class: "field" }, name,
    make("div", { class: "rows", "aria-hidden": "true" }, ...ticks(data.rows)), canvas,
    make("div", { class: "columns", "aria-hidden": "true" }, ...ticks(data.columns)));
  element.style.setProperty("--rows", data.rows);
  element.style.setProperty("--columns", data.columns);
  let cell = 1;
  return {
    element,
    fit(room, height) {
      cell = fit(canvas, data.columns, data.rows, room - 24, height);
    },
    draw(field, label) {
      canvas.setAttribute("aria-label", label);
      paintField(context, field, data.columns, cell, colour);
      const ratio = window.devicePixelRatio || 1;
      context.setLineDash([4 * ratio, 4 * ratio]);
      context.strokeStyle = "rgba(0, 0, 0, 0.45)";
      context.lineWidth = Math.max(1, Math.round(ratio));
      context.strokeRect(-cell, -cell, canvas.width / 2 + cell, canvas.height / 2 + cell);
      context.strokeRect(canvas.width / 2, canvas.height / 2, canvas.width, canvas.height);
    },
  };
}
