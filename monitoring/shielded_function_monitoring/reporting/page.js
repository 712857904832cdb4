"use strict";
(() => {
  const FIRST = matchMedia("(max-width: 1250px)").matches ? 20 : 50; // rows of the list, until more are asked for
  const byId = (id) => document.getElementById(id);
  const list = byId("violations");
  let rows = [...list.querySelectorAll("tbody tr")];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const listed = [...rows];
  const selects = ["severity", "function", "policy", "mode"];
  const value = (id) => (byId(id) ? byId(id).value : "");
  let every = false;

  const isWanted = (row, words) =>
    words.every((word) => texts.get(row).includes(word)) &&
    selects.every((name) => !value(name) || row.dataset[name] === value(name)) &&
    (!byId("new") || !byId("new").checked || row.classList.contains("new"));

  const filter = () => {
    const words = value("search").toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set(rows.filter((row) => isWanted(row, words)));
    let left = every ? Infinity : FIRST;
    let count = 0;
    for (const row of rows) {
      row.hidden = !wanted.has(row) || left-- <= 0;
      if (wanted.has(row)) count += Number(row.dataset.count);
    }
    byId("shown").textContent =
      `${wanted.size.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows, ${count.toLocaleString("en")} violations`;
    const more = byId("more");
    if (more) {
      more.hidden = every || wanted.size <= FIRST;
      more.textContent = `Show all ${wanted.size.toLocaleString("en")}`;
    }
  };

  const keyOf = (row, at) => row.cells[at].dataset.sort ?? row.cells[at].textContent.trim();
  const sort = (table, at, falling) => {
    const number = table.tHead.rows[0].cells[at].classList.contains("number");
    const compare = number ? (a, b) => Number(a) - Number(b) : (a, b) => a.localeCompare(b);
    const sorted = [...table.tBodies[0].rows].sort((a, b) => compare(keyOf(a, at), keyOf(b, at)) * (falling ? -1 : 1));
    table.tBodies[0].append(...sorted);
    for (const [other, cell] of [...table.tHead.rows[0].cells].entries()) {
      if (other === at) cell.setAttribute("aria-sort", falling ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    if (table === list) {
      rows = sorted;
      filter();
    }
  };

  for (const table of document.querySelectorAll("table.sorted")) {
    for (const [at, cell] of [...table.tHead.rows[0].cells].entries()) {
      cell.firstElementChild.addEventListener("click", () => {
        const before = cell.getAttribute("aria-sort");
        sort(table, at, before ? before === "ascending" : cell.classList.contains("number"));
      });
    }
  }
  for (const id of ["search", "new", ...selects]) if (byId(id)) byId(id).addEventListener("input", filter);
  if (byId("sort")) {
    byId("sort").addEventListener("input", () => {
      if (value("sort")) {
        const at = Number(value("sort"));
        sort(list, at, list.tHead.rows[0].cells[at].classList.contains("number"));
      } else {
        list.tBodies[0].append(...listed);
        rows = listed;
        filter();
      }
    });
  }
  if (byId("more")) {
    byId("more").addEventListener("click", () => {
      every = true;
      filter();
    });
  }
  for (const link of document.querySelectorAll("a[data-function]")) {
    link.addEventListener("click", () => {
      byId("function").value = link.dataset.function;
      byId("policy").value = link.dataset.policy;
      filter();
    });
  }
  filter();
})();
