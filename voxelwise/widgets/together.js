// Views of one brain that go together: a voxel chosen in one of them is shown by the others.

// A place under an affine: what a matrix of three rows and four columns makes of it.
const apply = (affine, [i, j, k]) => affine.map(([a, b, c, d]) => a * i + b * j + c * k + d);

// Tell the other views on the page at which grid position the reader is.
function lead(root, position) {
  document.dispatchEvent(new CustomEvent("brain-voxel", { detail: { root, position } }));
}

function follow(root, show) {
  document.addEventListener("brain-voxel", ({ detail }) => { if (detail.root !== root) show(detail.position); });
}
