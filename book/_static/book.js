// The theme starts with no colour mode on a first visit: it logs an error, and shows a dark page as
// light until all of it is loaded. So choose the mode at once, in the head of the page.
const root = document.documentElement.dataset;
if (!root.mode) {
  root.mode = "auto";
  root.theme = window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

// Paper is light, and its title has the number of the chapter.
let onScreen;
window.addEventListener("beforeprint", () => { [onScreen, root.theme] = [root.theme, "light"]; });
window.addEventListener("afterprint", () => { root.theme = onScreen; });

addEventListener("DOMContentLoaded", () => {
  const number = document.querySelector("article h1 > .section-number");
  if (number) document.querySelector("#jb-print-docs-body h1").prepend(number.cloneNode(true));
});

// What is offered as a download is saved, not shown as text.
addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll(".dropdown-download-buttons a").forEach(link => { link.download = ""; });
});

// The search reads each page it finds, to show a line of it. No browser lets it read files.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

// On a phone the lines of code are cut at the edge: it all folds away, as the housekeeping does everywhere.
if (matchMedia("(max-width: 600px)").matches) {
  addEventListener("DOMContentLoaded", () => {
    for (const code of document.querySelectorAll("article .cell > .cell_input")) {
      const folded = document.createElement("details");
      folded.className = "admonition hide above-input";
      const what = code.closest(".tag_parameters") ? "parameters" : "code";
      folded.innerHTML =
        `<summary><p class='collapsed admonition-title'>Show the ${what}</p><p class='expanded admonition-title'>Hide the ${what}</p></summary>`;
      code.replaceWith(folded);
      folded.append(code);
    }
  });
}

// A formula that is wider than the page scrolls, by keys as well; no other is a stop of the Tab key.
addEventListener("DOMContentLoaded", () => {
  const watcher = new ResizeObserver(seen => seen.forEach(({target}) => {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }));
  document.querySelectorAll("article div.math").forEach(formula => watcher.observe(formula));
});
