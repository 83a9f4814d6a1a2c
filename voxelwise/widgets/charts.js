// Charts of a few lines, as plain SVG.

function drawn(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Round numbers that divide a range into two to five parts.
function ticks(low, high) {
  const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, n) => (first + n) * step);
}

const numbered = (values) => values.map((value) => [value, `${value}`]);

// A chart in an element, which is as wide as the page allows. `x` and `y` are ranges, `lines` have a name, places and
// as many values as are known, and a dot if one is to be marked; `bands` are ranges of x.
function chart(height) {
  const svg = drawn("svg", { role: "img", height }), left = 40, right = 10, top = 8, bottom = 38;
  let width = 300, span = [0, 1];
  const across = (value) => left + ((value - span[0]) / (span[1] - span[0])) * (width - left - right);
  return {
    element: svg,
    fit() {
      width = Math.max(svg.parentElement.clientWidth, left + right);  // JupyterLab gives a cell out of sight no room
      svg.setAttribute("width", width);
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);  // paper may be narrower: all of it, smaller
    },
    // The value of x at a place of the page.
    valueAt(clientX) {
      const share = (clientX - svg.getBoundingClientRect().left - left) / (width - left - right);
      return span[0] + clip(share, 0, 1) * (span[1] - span[0]);
    },
    draw({ label, x, y, xTicks, xLabel, lines, bands = [] }) {
      span = x;
      const up = (value) => top + ((y[1] - value) / (y[1] - y[0])) * (height - top - bottom);
      const path = ({ xs, ys }) =>
        `M${Array.from(ys, (value, n) => `${across(xs[n]).toFixed(1)} ${up(value).toFixed(1)}`).join("L")}`;
      const base = height - bottom;
      svg.setAttribute("aria-label", label);
      svg.replaceChildren(
        ...bands.map(([from, to]) => drawn("rect", {
          class: "band", x: across(from), width: across(to) - across(from), y: top, height: base - top,
        })),
        ...ticks(...y).flatMap((value) => [
          drawn("line", { class: value ? "rule" : "zero", x1: left, x2: width - right, y1: up(value), y2: up(value) }),
          drawn("text", { x: left - 6, y: up(value) + 4, "text-anchor": "end" },
            signed(value, 2).replace(/\.?0+$/, "")),
        ]),
        ...xTicks.map(([value, text]) =>
          drawn("text", { x: across(value), y: base + 15, "text-anchor": "middle" }, text)),
        drawn("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, xLabel),
        ...lines.filter(({ ys }) => ys.length && ys.every(Number.isFinite))
          .map((line) => drawn("path", { class: `line ${line.name}`, d: path(line) })),
        ...lines.filter(({ dot }) => dot && dot.every(Number.isFinite))
          .map(({ name, dot }) => drawn("circle", { class: `dot ${name}`, cx: across(dot[0]), cy: up(dot[1]), r: 6 })));
    },
  };
}

// The names of a chart's lines, each beside a piece of it.
function key(entries) {
  return make("div", { class: "key" }, ...Object.entries(entries).map(([name, text]) =>
    make("span", {}, make("i", { class: name, "aria-hidden": "true" }), text)));
}

// Measured and predicted responses of a voxel in a run that its model has not seen.
function courseView() {
  const view = chart(190);
  const names = key({ measured: "measured in a held-out run", held: "predicted" });
  return { element: make("div", { class: "course" }, names, view.element), fit: view.fit,
    draw(name, volumes, measured, predicted) {
      const most = 1.05 * Math.max(1, ...measured.map(Math.abs)), last = volumes.at(-1);
      view.draw({
        label: `Measured and predicted course of a held-out run in ${name}`, xLabel: "Volume; response in SD",
        x: [0, last], y: [-most, most], xTicks: numbered(ticks(0, last)),
        lines: [{ name: "measured", xs: volumes, ys: measured }, { name: "held", xs: volumes, ys: predicted }],
      });
    } };
}
