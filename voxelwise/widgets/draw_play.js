// Drawing by itself, pixel by pixel, each drawing once: when the reader has let the picture rest, or by a button. It
// waits while something is pointed at.

const IDLE = 6000, STROKE = 70, HOLD = 3000;  // milliseconds

function player(root, presets, act) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const pointed = () => root.querySelector("canvas[tabindex]:is(:hover, :focus-visible)");
  let timer, on = false, number = 0, left, seen = false, theirs = false;
  const later = (then, pause) => {
    clearTimeout(timer);
    timer = setTimeout(() => (pointed() ? later(then, pause) : then()), pause);
  };

  function stroke(pixels, count) {
    if (!root.isConnected) return;
    act.draw(pixels.slice(0, count));
    if (count < pixels.length) later(() => stroke(pixels, count + 1), STROKE);
    else later(next, HOLD);
  }
  function next() {
    if (!left) {
      theirs = true;  // once is enough
      set(false);
      return;
    }
    left -= 1;
    number = (number + 1) % presets.length;
    const { pixels } = presets[number];
    stroke(pixels, calm.matches ? pixels.length : 1);
  }
  function set(playing) {
    on = playing;
    clearTimeout(timer);
    act.playing(on);
    left = presets.length;
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
