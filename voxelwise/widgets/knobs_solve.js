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

// Sums of products: of the pixels with each other, of which the lower half is filled, and with the responses.
function multiply(data, { seen, counts, sums, ...rest }) {
  const p = data.pixels, gram = new Float64Array(p * p), products = new Float64Array(p), pixels = new Float64Array(p);
  for (const pattern of seen) {
    const x = data.patterns[pattern];
    for (let i = 0; i < p; i++) {
      const weighted = counts[pattern] * x[i];
      pixels[i] += weighted;
      products[i] += sums[pattern] * x[i];
      if (weighted) for (let j = 0; j <= i; j++) gram[i * p + j] += weighted * x[j];
    }
  }
  return { gram, products, pixels, ...rest };
}

// The same sums over all samples but those of a fold, of pixels and responses less their means.
function leaveOut(whole, fold) {
  const p = whole.pixels.length, n = Math.max(whole.n - fold.n, 1), mean = (whole.total - fold.total) / n;
  const less = (name) => whole[name].map((sum, entry) => sum - fold[name][entry]);
  const gram = less("gram"), products = less("products"), means = less("pixels").map((sum) => sum / n);
  for (let i = 0; i < p; i++) {
    products[i] -= n * means[i] * mean;
    for (let j = 0; j <= i; j++) gram[i * p + j] -= n * means[i] * means[j];
  }
  return { gram, products, means, mean, squares: whole.squares - fold.squares - n * mean * mean };
}

// Weights and intercept: Cholesky's decomposition of the products plus the penalty, then two triangular systems.
function solve({ gram, products, means, mean }, alpha) {
  const p = products.length, lower = gram.slice(), weights = products.slice();
  for (let i = 0; i < p; i++) {
    lower[i * p + i] += alpha;
    for (let j = 0; j <= i; j++) {
      let rest = lower[i * p + j];
      for (let k = 0; k < j; k++) rest -= lower[i * p + k] * lower[j * p + k];
      lower[i * p + j] = i === j ? Math.sqrt(rest) : rest / lower[j * p + j];
    }
  }
  for (let i = 0; i < p; i++) {
    for (let k = 0; k < i; k++) weights[i] -= lower[i * p + k] * weights[k];
    weights[i] /= lower[i * p + i];
  }
  for (let i = p - 1; i >= 0; i--) {
    for (let k = i + 1; k < p; k++) weights[i] -= lower[k * p + i] * weights[k];
    weights[i] /= lower[i * p + i];
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

// Everything that belongs to one setting of the knobs. What a voxel and a lag have in common is kept.
function solver(data) {
  const kept = new Map(), [low, high] = data.exponents;
  const exponents = Array.from({ length: 5 * (high - low) + 1 }, (_, n) => low + n / 5);

  function fit(folds, alpha) {
    const models = folds.map(({ train }) => solve(train, alpha));
    return { model: models[0], r2: {
      train: average(folds.map(({ train }, n) => scoreTrain(train, models[n], alpha))),
      held: average(folds.map(({ held }, n) => scoreHeld(data, held, models[n]))),
    } };
  }
  function prepare(voxel, lag) {
    const whole = multiply(data, addUp(data, voxel, lag, data.runs));
    const folds = data.folds.map((runs) => {
      const held = addUp(data, voxel, lag, runs.map((run) => data.runs[run]));
      return { held, train: leaveOut(whole, multiply(data, held)) };
    });
    const scores = exponents.map((exponent) => fit(folds, 10 ** exponent).r2);
    return { folds, curves: { train: scores.map((one) => one.train), held: scores.map((one) => one.held) } };
  }
  return function model({ voxel, alpha, lag, steps }) {
    const name = `${voxel} ${lag}`, { start, end } = data.runs[data.folds[0][0]];
    if (!kept.has(name)) kept.set(name, prepare(voxel, lag));
    const { folds, curves } = kept.get(name), { model: first, r2 } = fit(folds, alpha);
    return {
      fields: { true: data.truth(voxel), ridge: first.weights, lasso: data.lasso(voxel, steps) },
      r2, exponents, curves,
      course: {
        volumes: Array.from({ length: end - start - lag }, (_, n) => n + lag),
        measured: [...data.responses[voxel].subarray(start + lag, end)],
        predicted: [...data.seen.subarray(start, end - lag)].map((pattern) => predict(first, data.patterns[pattern])),
      },
    };
  };
}
