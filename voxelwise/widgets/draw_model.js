// The numbers behind the pad: what voxels respond, the noise of it, and what is read from it. Nothing here is drawn.

// As many normal numbers as are wanted, the same for the same seed (mulberry32, Box and Muller).
function normals(seed, count) {
  let state = seed >>> 0;
  function uniform() {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 4294967296;
  }
  return Float64Array.from({ length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
}

// NaN where one of them does not vary.
function correlate(a, b) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let ab = 0, aa = 0, bb = 0;
  a.forEach((value, n) => {
    ab += (value - ma) * (b[n] - mb);
    aa += (value - ma) ** 2;
    bb += (b[n] - mb) ** 2;
  });
  return Math.min(aa, bb) > 1e-9 ? ab / Math.sqrt(aa * bb) : NaN;
}

// Gaussians with the height 1 on the pixels, one after the other.
function gaussians(table, nVoxels, [rows, columns], sizeOf) {
  const all = new Float64Array(nVoxels * rows * columns);
  for (let v = 0, at = 0; v < nVoxels; v++) {
    const [row, column] = [table[6 * v], table[6 * v + 1]], width = 2 * sizeOf(v) ** 2;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) all[at++] = Math.exp(-((i - row) ** 2 + (j - column) ** 2) / width);
    }
  }
  return all;
}

// The page's data as arrays, and what can be asked of them.
function readModel(data) {
  const [rows, columns] = data.shape, nPixels = rows * columns, nVoxels = data.n_voxels;
  const floats = (text) => decode(text, Float32Array);
  const table = floats(data.voxels), grey = floats(data.grey), steps = floats(data.steps), alone = floats(data.alone);
  const loadings = decimals(data.loadings), readers = decode(data.readers, Int16Array), nShared = loadings.length / nVoxels;
  const fields = gaussians(table, nVoxels, data.shape, (v) => table[6 * v + 2]);
  const surrounds = gaussians(table, nVoxels, data.shape, () => data.surround.size);
  const field = (v) => fields.subarray(v * nPixels, (v + 1) * nPixels);
  const peaks = Float64Array.from({ length: nVoxels }, (_, v) => Math.max(1e-12, ...field(v)));
  return {
    rows, columns, nPixels, nVoxels, field,
    numbers: decode(data.columns, Int32Array), places: decode(data.places, Int16Array), blind: floats(data.blind),
    place: (v) => table.subarray(6 * v, 6 * v + 3),
    // How much of the most that a voxel can see of one pixel it sees of this one.
    sees(v, pixel) {
      return fields[v * nPixels + pixel] / peaks[v];
    },
    respond(stimulus) {
      const lit = [...stimulus.keys()].filter((p) => stimulus[p]);
      return Float64Array.from({ length: nVoxels }, (_, v) => {
        let sum = 0, around = 0;
        for (const p of lit) {
          sum += stimulus[p] * fields[v * nPixels + p];
          around += stimulus[p] * surrounds[v * nPixels + p];
        }
        const compressed = Math.max(around, 0) ** data.surround.exponent;
        return table[6 * v + 3] * sum + table[6 * v + 4] * compressed + table[6 * v + 5];
      });
    },
    // Of the mean of several responses. The draw of a seed is the same for each number of them, only smaller.
    noise(seed, times) {
      const drawn = normals(seed, nShared + nVoxels), size = 1 / Math.sqrt(times);
      return alone.map((own, v) => {
        let sum = own * drawn[nShared + v];
        for (let k = 0; k < nShared; k++) sum += loadings[v * nShared + k] * drawn[k];
        return size * sum;
      });
    },
    readBack(responses) {
      const read = new Float64Array(nPixels).fill(data.mean);
      for (let v = 0, at = 0; v < nVoxels; v++) {
        const off = (responses[v] - grey[v]) * steps[v];
        for (let p = 0; p < nPixels; p++) read[p] += off * readers[at++];
      }
      return read;
    },
  };
}
