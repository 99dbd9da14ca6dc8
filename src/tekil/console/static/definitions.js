// The editor of definitions while somebody types: numbers, and only such comparisons as fit. Without it, buttons do.
"use strict";

const form = document.getElementById("authoring");
const live = document.getElementById("definition-live");
const written = document.getElementById("written-sql");
const TYPING_MS = 350;
const LOOK_MS = 1000;
let waiting = 0;
let asked = 0;

async function check() {
  const number = ++asked;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("was_by", fields.get("by") ?? "text");
  try {
    const answer = await fetch("/definitions/check", { method: "POST", body: fields, redirect: "error" });
    // Only the last question counts, whichever is answered last.
    if (!answer.ok || number !== asked) return;
    const told = await answer.json();
    live.innerHTML = told.html;
    if (written) written.textContent = told.sql;
    if (written && fields.get("by") === "rows") form.elements.sql.value = told.sql;
  } catch {
    // The preview button still works, and says what is wrong.
  }
}

function checkSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(check, TYPING_MS);
}

function fit(row) {
  const [field, operator, value] = ["field", "op", "value"].map((name) => row.querySelector(`.c-${name}`));
  const fits = (field.selectedOptions[0].dataset.fits ?? "").split(" ");
  for (const option of operator.options) {
    option.hidden = option.disabled = field.value !== "" && !fits.includes(option.value);
  }
  if (operator.selectedOptions[0]?.disabled) operator.value = fits[0];
  const kind = operator.selectedOptions[0]?.dataset.value ?? "";
  value.classList.toggle("none", kind === "");
  value.inputMode = kind === "days" ? "numeric" : kind === "number" ? "decimal" : "text";
}

if (form && live && form.elements.sql) {
  form.querySelectorAll(".condition").forEach(fit);
  form.addEventListener("input", (event) => {
    const row = event.target.closest(".condition");
    if (row) fit(row);
    if (event.target.name === "by") {
      // One is made from the other, which is the server's to do.
      const button = form.querySelector(".first-button");
      button.value = "switch";
      form.requestSubmit(button);
      return;
    }
    if (row || event.target.name === "sql" || event.target.name.endsWith("join")) checkSoon();
  });
  if (!live.querySelector(".big, .refusal") && form.elements.sql.value.trim()) check();
}

const doing = document.getElementById("definitions-doing");

async function look() {
  try {
    const answer = await fetch("/definitions/now", { redirect: "error" });
    if (!answer.ok) return;
    const told = await answer.json();
    doing.innerHTML = told.html;
    if (told.busy) setTimeout(look, LOOK_MS);
  } catch {
    // The next visit tells.
  }
}

if (doing) look();

for (const node of document.querySelectorAll(".definitions-graph .node")) {
  const mark = (on) => () => {
    for (const tie of document.querySelectorAll(".definitions-graph .tie")) {
      const near = tie.dataset.used === node.dataset.key || tie.dataset.user === node.dataset.key;
      tie.classList.toggle("near", on && near);
    }
  };
  for (const [event, on] of [["pointerenter", true], ["focus", true], ["pointerleave", false], ["blur", false]]) {
    node.addEventListener(event, mark(on));
  }
}
