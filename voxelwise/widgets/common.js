// What the fragments share. Each has its own copy, inside its function.

const decode = (text, Type) => new Type(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
const decimals = ({ unit, values }) => Float64Array.from(decode(values, Int16Array), (number) => number * unit);
const signed = (number, digits) => number.toFixed(digits).replace("-", "\u2212");
const dataOf = (root) => JSON.parse(root.querySelector("script[type='application/json']").textContent);

const inVolumes = (lag) => `${lag} volume${lag === 1 ? "" : "s"}`;
const clip = (value, low, high) => Math.max(low, Math.min(high, value));
const modified = (event) => event.ctrlKey || event.altKey || event.metaKey;

// A long array as rows of equal length.
function rowsOf(values, length) {
  return Array.from({ length: values.length / length }, (_, n) => values.subarray(n * length, (n + 1) * length));
}

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A button with a sign on it, and words for those who do not know the sign.
function button(sign, words = sign) {
  return make("button", { type: "button", "aria-label": words, title: words }, sign);
}

// A button for each voxel, in its colour.
function voxelButtons(voxels) {
  return voxels.map(({ name, colour }) => {
    const one = button(name, `Voxel ${name}`);
    one.classList.add("mark");
    one.style.setProperty("--mark", colour);
    return one;
  });
}

// Show which of several buttons, if any, is the chosen one.
function press(buttons, chosen) {
  buttons.forEach((element, n) => element.setAttribute("aria-pressed", n === chosen));
}

// Buttons that belong together.
function group(label, ...buttons) {
  return make("div", { class: "group", role: "group", "aria-label": label }, ...buttons);
}

// A canvas of the brain, and what its left and right end are.
function stage(canvas, [left, right], ...over) {
  const end = (side, name) => make("span", { class: side, "aria-hidden": "true" }, name);
  return make("div", { class: "stage" }, canvas, end("left", left), end("right", right), ...over);
}

// Give a canvas a whole number of device pixels for each of its cells, as many as the room allows; return that number.
function fit(canvas, columns, rows, room, height = Infinity) {
  const ratio = window.devicePixelRatio || 1;
  const cell = Math.max(1, Math.floor(Math.min((room * ratio) / columns, (height * ratio) / rows)));
  Object.assign(canvas, { width: cell * columns, height: cell * rows });
  canvas.style.width = `${canvas.width / ratio}px`;
  return cell;
}

// Paint a field on a canvas, one square for a pixel.
function paintField(context, field, columns, cell, colour) {
  field.forEach((weight, pixel) => {
    context.fillStyle = colour(weight);
    context.fillRect((pixel % columns) * cell, Math.floor(pixel / columns) * cell, cell, cell);
  });
}

// A true field of a simulated voxel, a Gaussian with this largest weight; 0 everywhere for a voxel without one.
function trueField([row, column, size], rows, columns, largest) {
  const off = (pixel) => (Math.floor(pixel / columns) - row) ** 2 + ((pixel % columns) - column) ** 2;
  const values = Float64Array.from({ length: rows * columns }, (_, pixel) =>
    (size ? Math.exp(-off(pixel) / (2 * size ** 2)) : 0));
  const top = Math.max(...values) || 1;
  return values.map((value) => (value / top) * largest);
}

// A function from a number to its colour, as Matplotlib assigns them.
function colourScale(text, low, high) {
  const map = decode(text, Uint8Array);
  return (value) => {
    const n = 3 * clip(Math.floor((256 * (value - low)) / (high - low)), 0, 255);
    return `rgb(${map[n]}, ${map[n + 1]}, ${map[n + 2]})`;
  };
}

// A colour bar with numbers under it; what else is given lies on it.
function colourBar(colour, low, high, numbers, label, ...over) {
  const canvas = make("canvas", { width: 256, height: 1, "aria-hidden": "true" }), context = canvas.getContext("2d");
  for (let n = 0; n < 256; n++) {
    context.fillStyle = colour(low + ((n + 0.5) * (high - low)) / 256);
    context.fillRect(n, 0, 1, 1);
  }
  return make("div", { class: "bar" }, make("div", { class: "colours" }, canvas, ...over),
    make("div", { class: "numbers" }, ...numbers.map((text) => make("span", {}, text))),
    make("div", { class: "label" }, label));
}

// The longest of some texts.
const longest = (texts) => texts.reduce((one, other) => (other.length > one.length ? other : one));

// A message that moves nothing when it changes: the longest that can come keeps its room.
function message(most) {
  const text = make("span");
  return { text, element: make("p", { class: "told", "data-longest": most }, text) };
}

// A slider with its name and, in words, where it stands.
function knob(name, attributes) {
  const range = make("input", { type: "range", ...attributes });
  const told = make("b");  // an <output> would take the label for itself
  return { range, row: make("label", {}, make("span", {}, `${name} `, told), range), set(value, text) {
    range.value = value;
    range.setAttribute("aria-valuetext", text);
    told.textContent = text;
  } };
}

// A line for screen readers. It waits until the reader rests: a drag or a held key would never let them finish.
function speaker() {
  const element = make("p", { class: "status", role: "status" });
  let waiting;
  return { element, say(text) {
    clearTimeout(waiting);
    waiting = setTimeout(() => { element.textContent = text; }, 300);
  } };
}

// Start all fragments of a kind that are on the page and not started yet.
function start(kind, show) {
  for (const root of document.querySelectorAll(`.brain-${kind}:not([data-ready])`)) {
    root.dataset.ready = "true";
    root.querySelector(".still-hint")?.remove();
    // A notebook would take arrows and letters for itself. With Ctrl they are its own: Ctrl+S saves here, too.
    root.addEventListener("keydown", (event) => {
      if (!modified(event)) event.stopPropagation();
    });
    show(root);
  }
}

// A finger that turns out to scroll the page leaves what it had changed as it was.
function undoScrolled(element, get, put) {
  let before;
  element.addEventListener("pointerdown", () => { before = get(); });
  element.addEventListener("pointercancel", () => put(before));
}

// Put what is on the page in the still picture's place, and have it fill its room, now and when that changes.
function settle(root, parts, status, resize) {
  root.querySelector("img.still").replaceWith(parts);
  parts.after(status);
  new ResizeObserver(() => requestAnimationFrame(resize)).observe(parts);  // later: drawing changes the height
  resize();
}
