// Drawing by itself, pixel by pixel: once the reader has let the picture rest, or by a button.

const IDLE = 6000, STROKE = 70, HOLD = 3000;  // milliseconds

function player(root, presets, act) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let timer, on = false, number = 0, seen = false, theirs = false;
  const later = (then, pause) => { clearTimeout(timer); timer = setTimeout(then, pause); };

  function stroke(pixels, count) {
    if (!root.isConnected) return;
    act.draw(pixels.slice(0, count));
    if (count < pixels.length) later(() => stroke(pixels, count + 1), STROKE);
    else later(next, HOLD);
  }
  function next() {
    number = (number + 1) % presets.length;
    const { pixels } = presets[number];
    stroke(pixels, calm.matches ? pixels.length : 1);
  }
  function set(playing) {
    on = playing;
    clearTimeout(timer);
    act.playing(on);
    if (on) next();
    else wait();
  }
  // A drawing of the reader's own stays.
  function wait() {
    if (!on && seen && !theirs && !calm.matches && presets.length) later(() => set(true), IDLE);
  }
  new IntersectionObserver(([entry]) => {
    seen = entry.isIntersecting;
    if (on && !seen) set(false);
    else if (seen) wait();
    else clearTimeout(timer);
  }, { threshold: 0.4 }).observe(root);
  root.addEventListener("pointermove", () => { if (!on) { clearTimeout(timer); wait(); } });
  return {
    toggle() { theirs = true; set(!on); },
    // The reader acts.
    stop() { theirs = true; if (on) set(false); clearTimeout(timer); },
  };
}
