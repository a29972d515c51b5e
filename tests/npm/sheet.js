// Rows from standard input into an XLSX, by a writer that is not ours.
const XLSX = require("xlsx");
const fs = require("fs");

const rows = JSON.parse(fs.readFileSync(0, "utf8")).map((row) => row.map((v) =>
	v && v.date ? { t: "n", z: "yyyy-mm-dd hh:mm:ss", v: (Date.parse(v.date + "Z") - Date.UTC(1899, 11, 30)) / 86400000 } : v));
const book = XLSX.utils.book_new();
XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet(rows), "工单");
XLSX.writeFile(book, process.argv[2]);
