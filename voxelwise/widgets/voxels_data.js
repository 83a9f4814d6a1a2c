// What the explorer knows of its voxels, and what can be asked of that.

// The page's data as arrays, and what can be asked of them.
function read(data) {
  const places = decode(data.places, Int16Array), positions = decode(data.positions, Int16Array);
  const scores = decode(data.scores.values, Int16Array), counts = decode(data.fields.counts, Int16Array);
  const pixels = decode(data.fields.pixels, Uint16Array), weights = decode(data.fields.values, Int16Array);
  const regions = data.regions && decode(data.regions.numbers, Int16Array);
  const courses = data.courses && ["measured", "predicted"].map((name) => decode(data.courses[name], Int8Array));
  const truth = data.truth && decode(data.truth.values, Int16Array);
  const [rows, columns] = data.fields.shape;
  const firsts = new Uint32Array(counts.length + 1);
  counts.forEach((count, voxel) => { firsts[voxel + 1] = firsts[voxel] + count; });
  const slices = Array.from({ length: data.shape[2] }, () => []);
  const position = (voxel) => [...positions.subarray(3 * voxel, 3 * voxel + 3)], known = new Map();
  for (let voxel = 0; voxel < counts.length; voxel++) {
    slices[places[3 * voxel + 2]].push(voxel);
    known.set(`${position(voxel)}`, voxel);
  }
  return {
    ...data, slices, rows, columns, position,
    voxelOn: (place) => known.get(`${place}`),
    filled: [...slices.keys()].filter((k) => slices[k].length),
    place: (voxel) => places.subarray(3 * voxel, 3 * voxel + 3),
    score: (voxel) => [...scores.subarray(3 * voxel, 3 * voxel + 3)].map((number) => number * data.scores.unit),
    field(voxel) {
      const field = new Float64Array(rows * columns);
      for (let n = firsts[voxel]; n < firsts[voxel + 1]; n++) field[pixels[n]] = weights[n] * data.fields.unit;
      return field;
    },
    // What was put in, as high as the estimate is or, without one, as the colours reach.
    trueField(voxel) {
      const place = Array.from(truth.subarray(3 * voxel, 3 * voxel + 3), (number) => number * data.truth.unit);
      return trueField(place, rows, columns, Math.max(...this.field(voxel)) || data.colours.field.limit);
    },
    // Measured and predicted responses, volume by volume.
    course(voxel) {
      const { kinds, unit } = data.courses, n = kinds.length, different = courses[1].length / counts.length;
      const measured = Array.from(courses[0].subarray(n * voxel, n * (voxel + 1)), (number) => number * unit);
      return { measured, predicted: kinds.map((kind) => courses[1][different * voxel + kind] * unit) };
    },
    region: (voxel) => (regions ? data.regions.names[regions[voxel]] || "none" : null),
    mark: (voxel) => data.marked.find((mark) => mark.column === voxel),
    millimetres(voxel) {
      const [i, j, k] = position(voxel);
      return data.affine.map(([a, b, c, d]) => a * i + b * j + c * k + d);
    },
  };
}

// What is told of a voxel, by name.
function describe(data, voxel) {
  const [mean, low, high] = data.score(voxel);
  const rows = {
    "Mean R²": signed(mean, 2),
    "R² of folds": `${signed(low, 2)} to ${signed(high, 2)}`,
    "Grid (i, j, k)": `(${data.position(voxel).join(", ")})`,
    "x, y, z": `${data.millimetres(voxel).map((mm) => signed(mm, 0)).join(", ")} mm`,
  };
  if (data.regions) rows.Regions = data.region(voxel);
  rows["Strongest pixel"] = strongest(data, voxel);
  return rows;
}

// The pixel of the largest weight, of either sign, as (row, column), and its weight.
function strongest(data, voxel) {
  const field = data.field(voxel), size = (pixel) => Math.abs(field[pixel]);
  const pixel = [...field.keys()].reduce((best, other) => (size(other) > size(best) ? other : best));
  const row = Math.floor(pixel / data.columns), column = pixel % data.columns;
  return field[pixel] ? `(${row}, ${column}): ${signed(field[pixel], 2)}` : "none";
}

// The voxel of a slice that is nearest to a place.
function nearest(data, k, c, r) {
  const far = (voxel) => { const [vc, vr] = data.place(voxel); return (vc - c) ** 2 + (vr - r) ** 2; };
  return data.slices[k].reduce((best, voxel) => (far(voxel) < far(best) ? voxel : best));
}

// The next voxel straight on, over gaps; without one, the nearest of those ahead.
function neighbour(data, voxel, dc, dr) {
  const [c, r, k] = data.place(voxel);
  let best, least = Infinity;
  for (const other of data.slices[k]) {
    const [oc, or] = data.place(other);
    const along = (oc - c) * dc + (or - r) * dr, across = Math.abs((oc - c) * dr) + Math.abs((or - r) * dc);
    const cost = along + (across && 1000 + across);
    if (along > 0 && cost < least) [best, least] = [other, cost];
  }
  return best;
}
