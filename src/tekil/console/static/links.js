// Deciding pairs by key: 1, 2, 3 are the buttons' numbers, as long as the focus is on the pair, which it is
// when the page opens. Without this script the buttons work as they are.
"use strict";

const pair = document.querySelector("[data-keys]");

if (pair && !document.querySelector("[http-equiv=refresh]")) pair.focus({ preventScroll: true });

pair?.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input")) return;
  pair.querySelector(`button[data-key="${CSS.escape(event.key)}"]:not(:disabled)`)?.click();
});
