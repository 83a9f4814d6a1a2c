// What the explorer knows of its voxels, and what can be asked of that.

// The page's data as arrays, and what can be asked of them.
function read(data) {
  const places = rowsOf(decode(data.places, Int16Array), 3), positions = rowsOf(decode(data.positions, Int16Array), 3);
  const scores = rowsOf(decimals(data.scores), 3), counts = decode(data.fields.counts, Int16Array);
  const pixels = decode(data.fields.pixels, Uint16Array), weights = decimals(data.fields);
  const regions = data.regions && decode(data.regions.numbers, Int16Array);
  const courses = data.courses && ["measured", "predicted"].map((name) => decode(data.courses[name], Int8Array));
  const truth = data.truth && rowsOf(decimals(data.truth), 3);
  const [rows, columns] = data.fields.shape;
  const firsts = new Uint32Array(counts.length + 1);
  counts.forEach((count, voxel) => { firsts[voxel + 1] = firsts[voxel] + count; });
  const slices = Array.from({ length: data.shape[2] }, () => []);
  places.forEach(([, , k], voxel) => slices[k].push(voxel));
  const known = new Map(positions.map((position, voxel) => [`${position}`, voxel]));
  return {
    ...data, slices, rows, columns,
    position: (voxel) => [...positions[voxel]],
    voxelOn: (place) => known.get(`${place}`),
    filled: [...slices.keys()].filter((k) => slices[k].length),
    place: (voxel) => places[voxel],
    score: (voxel) => [...scores[voxel]],
    field(voxel) {
      const field = new Float64Array(rows * columns);
      for (let n = firsts[voxel]; n < firsts[voxel + 1]; n++) field[pixels[n]] = weights[n];
      return field;
    },
    // What was put in, as high as the estimate is or, without one, as the colours reach.
    trueField(voxel) {
      return trueField(truth[voxel], rows, columns, Math.max(...this.field(voxel)) || data.colours.field.limit);
    },
    // Measured and predicted responses, volume by volume.
    course(voxel) {
      const { kinds, unit } = data.courses, n = kinds.length, different = courses[1].length / counts.length;
      const measured = Array.from(courses[0].subarray(n * voxel, n * (voxel + 1)), (number) => number * unit);
      return { measured, predicted: kinds.map((kind) => courses[1][different * voxel + kind] * unit) };
    },
    region: (voxel) => (regions ? data.regions.names[regions[voxel]] || "none" : null),
    mark: (voxel) => data.marked.find((mark) => mark.column === voxel),
    millimetres: (voxel) => apply(data.affine, positions[voxel]),
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
