// What the page knows of the recording: stimuli, responses of a few voxels, and the path of the lasso.

// The page's data as arrays, and what can be asked of them.
function read(data) {
  const [rows, columns] = data.shape, pixels = rows * columns;
  const seen = decode(data.seen, Int32Array), responses = rowsOf(decimals(data.responses), seen.length);
  const paths = rowsOf(decimals(data.lasso), pixels), truth = data.truth && rowsOf(decimals(data.truth), 3);
  let end = 0;
  const runs = data.runs.map((length) => {
    end += length;
    return { start: end - length, end };
  });
  return {
    ...data, rows, columns, pixels, runs, seen, responses,
    patterns: rowsOf(decimals(data.patterns), pixels),
    // What was put in, if that is known, as high as the field that the lasso finds.
    truth(voxel) {
      const largest = Math.max(...this.lasso(voxel, data.steps.chosen[voxel])) || data.colours.limit;
      return truth && trueField(truth[voxel], rows, columns, largest);
    },
    // The field after some steps of the lasso; between two whole numbers it changes linearly.
    lasso(voxel, steps) {
      const step = Math.floor(steps), path = voxel * (data.steps.most + 1), before = paths[path + step];
      const after = paths[path + Math.min(step + 1, data.steps.most)];
      return before.map((weight, pixel) => weight + (steps - step) * (after[pixel] - weight));
    },
  };
}
