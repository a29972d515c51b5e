// The rows of an XLSX as JSON, by a reader that is not ours.
const XLSX = require("xlsx");

const book = XLSX.readFile(process.argv[2]);
const sheet = book.Sheets[book.SheetNames[0]];
process.stdout.write(JSON.stringify(XLSX.utils.sheet_to_json(sheet, { header: 1, raw: false, defval: null })));
