"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const rows = [...document.querySelectorAll("#violations tbody tr")];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const controls = ["search", "function", "policy", "mode", "new"].map(byId).filter(Boolean);
  const value = (id) => (byId(id) ? byId(id).value : "");

  const isWanted = (row, words) =>
    words.every((word) => texts.get(row).includes(word)) &&
    ["function", "policy", "mode"].every((name) => !value(name) || row.dataset[name] === value(name)) &&
    (!byId("new") || !byId("new").checked || row.classList.contains("new"));

  const filter = () => {
    const words = value("search").toLowerCase().split(/\s+/).filter(Boolean);
    let kinds = 0;
    let count = 0;
    for (const row of rows) {
      row.hidden = !isWanted(row, words);
      if (!row.hidden) {
        kinds += 1;
        count += Number(row.dataset.count);
      }
    }
    byId("shown").textContent = `${kinds} of ${rows.length} kinds, ${count} violations`;
  };

  for (const control of controls) control.addEventListener("input", filter);
  for (const cell of document.querySelectorAll(".matrix a")) {
    cell.addEventListener("click", () => {
      byId("function").value = cell.dataset.function;
      byId("policy").value = cell.dataset.policy || "";
      filter();
    });
  }
  filter();
})();
