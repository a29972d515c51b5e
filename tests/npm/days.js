// Every working day of the years given, with the first thirty working days behind each, as chinese-days counts them.
const {isWorkday, findWorkday} = require("chinese-days");

const [first, last] = process.argv.slice(2);
const rows = {};
for (let at = Date.UTC(first, 0, 1); at <= Date.UTC(last, 11, 31); at += 86400000) {
	const day = new Date(at).toISOString().slice(0, 10);
	if (isWorkday(day))
		rows[day] = Array.from({length: 30}, (_, i) => findWorkday(i + 1, day));
}
console.log(JSON.stringify(rows));
