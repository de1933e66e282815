
// Nothing here is needed to read the page: it sorts a table by a click, and opens what is folded for print.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.querySelectorAll("thead th")];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const key = (row) => {
        const cell = row.cells[column];
        const figure = cell.querySelector("data");
        return figure ? Number(figure.value) : cell.textContent.trim();
      };
      const order = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b));
      const rows = [...body.rows].sort((a, b) => (down ? -1 : 1) * order(key(a), key(b)));
      body.append(...rows);
    });
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
