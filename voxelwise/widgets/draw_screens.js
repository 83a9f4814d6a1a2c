// The screens: the pad that is drawn on, and those that show what is read.

// A canvas with one square for a pixel, from black to white.
function screen(model, [low, high], canvas) {
  const context = canvas.getContext("2d");
  let cell = 1;
  const square = (pixel, paint, inset = 0) => {
    const [row, column] = [Math.floor(pixel / model.columns), pixel % model.columns];
    context.fillStyle = paint;
    context.fillRect(column * cell + inset, row * cell + inset, cell - 2 * inset, cell - 2 * inset);
  };
  return {
    canvas,
    fit(room) { cell = fit(canvas, model.columns, model.rows, room); },
    draw(values) {
      values.forEach((value, pixel) => {
        const grey = Math.round(255 * clip((value - low) / (high - low), 0, 1));
        square(pixel, `rgb(${grey}, ${grey}, ${grey})`);
      });
    },
    // Lines between the pixels, and over them a field that glows and the pixel that is pointed at, if any.
    over(field, pixel) {
      const ratio = window.devicePixelRatio || 1, line = Math.max(1, Math.round(ratio));
      context.fillStyle = "rgba(128, 128, 128, 0.35)";
      for (let n = 1; n < model.columns; n++) context.fillRect(n * cell, 0, 1, canvas.height);
      for (let n = 1; n < model.rows; n++) context.fillRect(0, n * cell, canvas.width, 1);
      field?.forEach((weight, p) => { if (weight > 0.03) square(p, `rgba(230, 159, 0, ${0.9 * weight})`); });
      if (pixel === undefined) return;
      const [x, y] = [(pixel % model.columns) * cell, Math.floor(pixel / model.columns) * cell];
      context.lineWidth = 2 * line;
      context.strokeStyle = "#e69f00";
      context.strokeRect(x + line, y + line, cell - 2 * line, cell - 2 * line);
    },
    // Whether a place of the page lies on the screen: browsers let fingers that come down near it press it.
    holds({ clientX, clientY }) {
      const { left, right, top, bottom } = canvas.getBoundingClientRect();
      return clientX >= left && clientX < right && clientY >= top && clientY < bottom;
    },
    pixelAt(event) {
      const box = canvas.getBoundingClientRect();
      const inside = (share, n) => clip(Math.floor(share * n), 0, n - 1);
      return inside((event.clientY - box.top) / box.height, model.rows) * model.columns +
        inside((event.clientX - box.left) / box.width, model.columns);
    },
  };
}

// All pixels on the straight line from one to another, so that a quick hand leaves no gaps.
function between(model, from, to) {
  const [r0, c0, r1, c1] = [from, to].flatMap((p) => [Math.floor(p / model.columns), p % model.columns]);
  const steps = Math.max(Math.abs(r1 - r0), Math.abs(c1 - c0), 1);
  return Array.from({ length: steps + 1 }, (_, n) =>
    Math.round(r0 + (n * (r1 - r0)) / steps) * model.columns + Math.round(c0 + (n * (c1 - c0)) / steps));
}

// Have a pad paint by mouse, finger and keys: `pad.begin()`, `pad.isWhite(pixel)`, `pad.paint(pixels, white)`, of which
// the last is pointed at; else `pad.point(pixel or undefined, spoken)` tells what is. A lifted finger still points.
function listen(model, view, pad) {
  const { canvas } = view;
  let white, last, finger, cursor = Math.floor(model.rows / 2) * model.columns + Math.floor(model.columns / 2);
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || white !== undefined || !view.holds(event)) return;  // one finger draws
    finger = event.pointerId;
    canvas.setPointerCapture(event.pointerId);
    pad.begin();
    last = cursor = view.pixelAt(event);
    white = !pad.isWhite(last);
    pad.paint([last], white);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (white !== undefined && event.pointerId !== finger) return;
    const pixel = view.pixelAt(event);
    if (white !== undefined) pad.paint(between(model, last, pixel), white);
    else if (view.holds(event)) pad.point(pixel);
    [last, cursor] = [pixel, pixel];
  });
  // Only fingers on the pad keep the page from scrolling.
  canvas.addEventListener("touchstart", (event) => {
    if (view.holds(event.changedTouches[0])) event.preventDefault();
  }, { passive: false });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, (event) => {
      if (event.pointerId !== finger) return;
      if (white !== undefined) pad.point(last);
      white = undefined;
    });
  }
  canvas.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") pad.point(undefined); });
  canvas.addEventListener("blur", () => pad.point(undefined));
  canvas.addEventListener("focus", () => { if (canvas.matches(":focus-visible")) pad.point(cursor); });
  canvas.addEventListener("keydown", (event) => {
    if (modified(event)) return;
    if (event.key in ARROWS) {
      const [row, column] = [Math.floor(cursor / model.columns), cursor % model.columns];
      const [right, down] = ARROWS[event.key];
      cursor = clip(row + down, 0, model.rows - 1) * model.columns + clip(column + right, 0, model.columns - 1);
    } else if (event.key === " " || event.key === "Enter") {
      pad.begin();
      pad.paint([cursor], !pad.isWhite(cursor));
    } else return;
    event.preventDefault();
    pad.point(cursor, true);
  });
}
