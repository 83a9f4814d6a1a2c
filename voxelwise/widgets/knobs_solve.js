// Ridge regression of one voxel. Samples that saw the same stimulus have one prediction, so they are added up first.

// How many samples of some runs saw each stimulus, and the sums of the responses to it.
// A run in which the voxel does not change tells nothing of it.
function addUp(data, voxel, lag, runs) {
  const counts = new Float64Array(data.patterns.length), sums = new Float64Array(data.patterns.length);
  const y = data.responses[voxel];
  let n = 0, total = 0, squares = 0;
  for (const { start, end } of runs) {
    if (y.subarray(start + lag, end).every((value, _, all) => value === all[0])) continue;
    for (let t = start; t + lag < end; t++) {
      const value = y[t + lag];
      counts[data.seen[t]] += 1;
      sums[data.seen[t]] += value;
      n += 1;
      total += value;
      squares += value * value;
    }
  }
  const seen = [...counts.keys()].filter((pattern) => counts[pattern]);
  return { seen, counts, sums, n, total, squares };
}

// An array that holds all sums of p pixels, by name.
function named(all, p) {
  const [gram, products, pixels, samples] = [[0, p * p], [p * p, p], [p * p + p, p], [p * p + 2 * p, 3]]
    .map(([from, length]) => all.subarray(from, from + length));
  return { gram, products, pixels, samples };
}

// Sums of products: of the pixels with each other, of which the upper half is filled, and with the responses.
function multiply(data, { seen, counts, sums, n, total, squares }) {
  const p = data.pixels, all = new Float64Array(p * p + 2 * p + 3), { gram, products, pixels, samples } = named(all, p);
  samples.set([n, total, squares]);
  for (const pattern of seen) {
    const x = data.patterns[pattern];
    for (let i = 0; i < p; i++) {
      const weighted = counts[pattern] * x[i];
      pixels[i] += weighted;
      products[i] += sums[pattern] * x[i];
      if (weighted) for (let j = i; j < p; j++) gram[i * p + j] += weighted * x[j];
    }
  }
  return all;
}

// The sums over two sets of samples, or over one without the other.
function combine(one, other, sign) {
  const both = one.slice();
  for (let n = 0; n < both.length; n++) both[n] += sign * other[n];
  return both;
}

// The same sums of pixels and responses less their means.
function centre(all, p) {
  const { gram, products, pixels, samples: [n, total, squares] } = named(all, p);
  const means = pixels.map((sum) => sum / Math.max(n, 1)), mean = total / Math.max(n, 1);
  for (let i = 0; i < p; i++) {
    products[i] -= n * means[i] * mean;
    for (let j = i; j < p; j++) gram[i * p + j] -= n * means[i] * means[j];
  }
  return { gram, products, means, mean, squares: squares - n * mean * mean };
}

// Weights and intercept: elimination in the upper half of the products plus the penalty, then from the last weight back.
function solve({ gram, products, means, mean }, alpha) {
  const p = products.length, upper = gram.slice(), weights = products.slice();
  for (let i = 0; i < p; i++) upper[i * p + i] += alpha;
  for (let k = 0; k < p; k++) {
    for (let i = k + 1; i < p; i++) {
      const share = upper[k * p + i] / upper[k * p + k];
      weights[i] -= share * weights[k];
      for (let j = i; j < p; j++) upper[i * p + j] -= share * upper[k * p + j];
    }
  }
  for (let i = p - 1; i >= 0; i--) {
    for (let k = i + 1; k < p; k++) weights[i] -= upper[i * p + k] * weights[k];
    weights[i] /= upper[i * p + i];
  }
  return { weights, intercept: weights.reduce((rest, weight, pixel) => rest - weight * means[pixel], mean) };
}

// The prediction for a stimulus.
function predict({ weights, intercept }, x) {
  let sum = intercept;
  for (let pixel = 0; pixel < x.length; pixel++) sum += x[pixel] * weights[pixel];
  return sum;
}

// The share of the variance of held-out samples that a model explains; not a number where there is none.
function scoreHeld(data, { seen, counts, sums, n, total, squares }, model) {
  let error = squares;
  for (const pattern of seen) {
    const predicted = predict(model, data.patterns[pattern]);
    error += predicted * (counts[pattern] * predicted - 2 * sums[pattern]);
  }
  return 1 - error / (squares - (total * total) / n);
}

// The same of the samples that the model was fitted to: it solves (X'X + alpha) w = X'y.
function scoreTrain({ products, squares }, { weights }, alpha) {
  return weights.reduce((sum, weight, pixel) => sum + weight * (products[pixel] + alpha * weight), 0) / squares;
}

// The mean over the folds that have a score.
function average(scores) {
  const known = scores.filter(Number.isFinite);
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

// What belongs to one setting of the knobs. What a voxel and a lag have in common is kept.
function solver(data) {
  const kept = data.voxels.map(() => []), [low, high] = data.exponents;
  const exponents = Array.from({ length: 5 * (high - low) + 1 }, (_, n) => low + n / 5);

  function fit(folds, alpha) {
    const models = folds.map(({ train }) => solve(train, alpha));
    return { model: models[0], r2: {
      train: average(folds.map(({ train }, n) => scoreTrain(train, models[n], alpha))),
      held: average(folds.map(({ held }, n) => scoreHeld(data, held, models[n]))),
    } };
  }
  function prepare(voxel, lag) {
    const held = data.folds.map((runs) => addUp(data, voxel, lag, runs.map((run) => data.runs[run])));
    const parts = held.map((fold) => multiply(data, fold)), whole = parts.reduce((sum, part) => combine(sum, part, 1));
    const folds = held.map((fold, n) => ({ held: fold, train: centre(combine(whole, parts[n], -1), data.pixels) }));
    return { folds, curves: { train: [], held: [] } };
  }
  const find = ({ voxel, lag }) => (kept[voxel][lag] ??= prepare(voxel, lag));
  return {
    // Everything but the rest of the curves.
    model(setting) {
      const { folds, curves } = find(setting), { model: first, r2 } = fit(folds, setting.alpha);
      const { voxel, lag, steps } = setting, { start, end } = data.runs[data.folds[0][0]];
      return {
        fields: { true: data.truth(voxel), ridge: first.weights, lasso: data.lasso(voxel, steps) },
        r2, exponents, curves,
        course: {
          volumes: Array.from({ length: end - start - lag }, (_, n) => n + lag),
          measured: [...data.responses[voxel].subarray(start + lag, end)],
          predicted: [...data.seen.subarray(start, end - lag)].map((pattern) => predict(first, data.patterns[pattern])),
        },
      };
    },
    // Add a point to both curves; whether there was one to add.
    extend(setting) {
      const { folds, curves } = find(setting), exponent = exponents[curves.train.length];
      if (exponent === undefined) return false;
      const { r2 } = fit(folds, 10 ** exponent);
      curves.train.push(r2.train);
      curves.held.push(r2.held);
      return true;
    },
    // Prepare one more voxel or lag before it is asked for; whether there was one.
    ready({ voxel, lag }) {
      const voxels = kept.map((_, n) => ({ voxel: n, lag }));
      const lags = Array.from({ length: data.lags + 1 }, (_, n) => ({ voxel, lag: n }));
      const next = [...voxels, ...lags].find((other) => !kept[other.voxel][other.lag]);
      if (next) find(next);
      return Boolean(next);
    },
  };
}
