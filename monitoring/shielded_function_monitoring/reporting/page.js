"use strict";
const search = document.getElementById("search");
const rows = [...document.querySelectorAll("#violations tr[data-count]")];
const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

const show = () => {
  const words = search.value.toLowerCase().split(/\s+/);
  for (const row of rows) row.hidden = !words.every((word) => texts.get(row).includes(word));
  const found = rows.filter((row) => !row.hidden);
  const count = found.reduce((sum, row) => sum + Number(row.dataset.count), 0);
  const [some, all, violations] = [found.length, rows.length, count].map((each) => each.toLocaleString("en"));
  document.getElementById("shown").textContent = `${some} of ${all} rows, ${violations} violations`;
};

search?.addEventListener("input", show);
if (search) show();
