// Images of fields, beside the knobs.

// The image of a field under its name; a sentence stands in for a field that is not known.
function fieldView(data, name, colour) {
  const canvas = make("canvas", { role: "img", width: data.columns, height: data.rows });
  const context = canvas.getContext("2d"), note = make("span", { class: "note" }), unknown = make("p");
  const element = make("div", { class: "field" }, make("span", { class: "name" }, name), canvas, unknown, note);
  return { element, draw(field, label, text) {
    canvas.hidden = !field;
    unknown.hidden = Boolean(field);
    (field ? note : unknown).textContent = text;
    if (!field) return;
    canvas.setAttribute("aria-label", label);
    paintField(context, field, data.columns, 1, colour);
  } };
}
