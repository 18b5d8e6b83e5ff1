// Renders a table from the kernel, which decides every word, symbol and tone.
// On a narrow page a cell with sentences gets a separate row below its line.
import { h } from "./tree.js";

/**
 * Returns the tree of *table*.
 *
 * `actions(line)` returns the content of a cell after the first one, so that a state and its
 * actions stay together on a narrow page. `below(line)` returns the content of a row below the
 * line, or null. `first(line, cell)` returns other content for the first cell. `wanted(line)`
 * returns false to omit a line.
 */
export function tableTree(table, options = {}) {
  const { actions = null, below = () => null, first = null, wanted = () => true } = options;
  const lines = table.lines.filter(wanted);
  const width = table.columns.length + (actions ? 1 : 0);
  const heads = table.columns.map((column) => headTree(column));
  if (actions) heads.splice(1, 0, h("th", { scope: "col" }, "actions"));
  const rows = lines.flatMap((line) => rowTrees(table, line, { actions, below, first, width }));
  if (!lines.length) rows.push(h("tr", {}, h("td", {}, table.empty)));
  // A wide table scrolls on a narrow page, also by keyboard.
  return h("div", { class: "lk-scroll", key: `table ${table.caption}`, tabindex: "0", role: "group", "aria-label": table.caption },
    h("table", { class: "lk-table" },
      h("caption", {}, table.caption),
      lines.length ? h("thead", {}, h("tr", {}, heads)) : null,
      h("tbody", {}, rows)),
    table.note ? h("p", { class: "lk-note" }, table.note) : null);
}

/** Returns the classes of a cell, from its column and its tone. */
export function classOf(column, cell = []) {
  const names = [];
  if (column.number) names.push("lk-number");
  if (column.fixed) names.push("lk-fixed");
  if (column.long) names.push("lk-long");
  if (column.spare) names.push(`lk-spare-${column.spare}`);
  if (cell[1]) names.push(`lk-${cell[1]}`);
  return names.join(" ") || null;
}

function headTree(column) {
  return h("th", { scope: "col", class: classOf(column) }, column.name);
}

function rowTrees(table, line, { actions, below, first, width }) {
  const cells = line.cells.map((cell, i) =>
    h("td", { class: classOf(table.columns[i], cell), title: cell[2] ?? null },
      i === 0 && first ? first(line, cell) : cell[0]));
  if (actions) cells.splice(1, 0, h("td", { class: "lk-actions" }, actions(line)));
  const rows = [h("tr", { key: line.id }, cells)];
  const long = line.cells.filter((cell, i) => table.columns[i].long && cell[0]);
  if (long.length) rows.push(h("tr", { key: `${line.id} long`, class: "lk-narrow" },
    h("td", { colspan: width }, long.map((cell) => h("p", {}, cell[0])))));
  const more = below(line);
  if (more) rows.push(h("tr", { key: `${line.id} below` }, h("td", { colspan: width }, more)));
  return rows;
}
