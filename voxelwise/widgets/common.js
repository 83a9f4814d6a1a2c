// What the fragments share. Each has its own copy, inside its function.

const decode = (text, Type) => new Type(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
const signed = (number, digits) => number.toFixed(digits).replace("-", "\u2212");
const dataOf = (root) => JSON.parse(root.querySelector("script[type='application/json']").textContent);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Give a button the colour of a voxel.
function markWith(button, colour) {
  button.classList.add("mark");
  button.style.setProperty("--mark", colour);
}

// A function from a number to its colour, as Matplotlib assigns them.
function colourScale(text, low, high) {
  const map = decode(text, Uint8Array);
  return (value) => {
    const n = 3 * Math.max(0, Math.min(255, Math.floor((256 * (value - low)) / (high - low))));
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
      if (!event.ctrlKey && !event.altKey && !event.metaKey) event.stopPropagation();
    });
    show(root);
  }
}
