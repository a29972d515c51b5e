// The peer of the bench: MQTT tickets → normalised, routed → a row in PostgreSQL → an event to the department.
// A message is acknowledged when its batch is committed; mqtt.js holds one acknowledgement a connection, so
// CONNECTIONS of them share the work. A batch is what has come while the last one committed.
//
//	node peer.js '{"port":1883,"user":"…","password":"…","dsn":"…","root":"needle/x","departments":["a","b"]}'
"use strict";
const mqtt = require("mqtt");
const { Client } = require("pg");

const options = JSON.parse(process.argv[2]);
const CONNECTIONS = options.connections || 32;
const BATCH = 500;
const KEYWORDS = { "煤气": "应急", "狗": "城管", "电动车": "应急", "化粪池": "物业", "井盖": "市政", "积水": "应急", "噪声": "城管", "垃圾": "环卫", "路灯": "市政" };

const TABLE = `
CREATE SCHEMA IF NOT EXISTS peer;
CREATE TABLE IF NOT EXISTS peer.cases (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, source_id text NOT NULL UNIQUE, channel text NOT NULL, at timestamptz,
	received_at timestamptz NOT NULL DEFAULT now(), text text NOT NULL, category text, urgency text, name text, phone text, address text,
	grid text, department text NOT NULL, state text NOT NULL DEFAULT 'assigned', due_at timestamptz NOT NULL, extra jsonb)`;
const INSERT = {
	name: "insert",
	text: `INSERT INTO peer.cases (source_id, channel, at, text, category, urgency, name, phone, address, grid, department, due_at, extra)
		SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
			$9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::jsonb[])
		ON CONFLICT (source_id) DO NOTHING RETURNING id, source_id`,
};
const KNOWN = new Set(["v", "id", "kind", "time", "text", "category", "urgency", "reporter", "place"]);

function department(ticket, text) {
	let class_ = (ticket.category || "").split("/")[0];
	for (const word in KEYWORDS)
		if (text.includes(word)) {
			class_ = KEYWORDS[word];
			break;
		}
	let h = 0;
	for (const c of class_)
		h = (h * 31 + c.codePointAt(0)) >>> 0;
	return options.departments[h % options.departments.length];
}

function understand(topic, payload) {
	const t = JSON.parse(payload.toString("utf8"));
	const text = String(t.text || "").normalize("NFKC").replace(/\s+/g, " ").trim();
	const extra = {};
	for (const k in t)
		if (!KNOWN.has(k))
			extra[k] = t[k];
	const hours = t.urgency === "urgent" ? 24 : 72;
	return { id: String(t.id), channel: topic.split("/")[3], at: t.time, text, category: t.category, urgency: t.urgency || "normal",
		name: t.reporter?.name, phone: t.reporter?.phone, address: t.place?.address, grid: t.place?.grid, department: department(t, text),
		due: new Date(Date.now() + hours * 3600000).toISOString(), extra: JSON.stringify(extra) };
}

const waiting = [];
let busy = false, database, publisher;

function publish(row, id) {
	const phone = row.phone ? row.phone.slice(0, 3) + "****" + row.phone.slice(-4) : null;
	publisher.publish(`${options.root}/dept/${row.department}/event/assigned`, JSON.stringify({ v: 1, event: `${id}-1`, seq: 1, kind: "assigned",
		at: new Date().toISOString(), case: `PEER${id}`, department: row.department, role: "lead", state: "assigned",
		title: row.text.slice(0, 40), category: row.category, grid: row.grid, place: row.address, phone, urgency: row.urgency,
		due: { resolve: row.due } }), { qos: 1 });
}

async function flush() {
	busy = true;
	while (waiting.length) {
		const batch = waiting.splice(0, BATCH), rows = [];
		for (const m of batch) {
			try {
				rows.push(understand(m.topic, m.payload));
			} catch (e) {
				console.error(`bad message: ${e.message}`);
			}
		}
		const column = name => rows.map(r => r[name] ?? null);
		for (;;) {
			try {
				const result = await database.query({ ...INSERT, values: ["id", "channel", "at", "text", "category", "urgency", "name", "phone",
					"address", "grid", "department", "due", "extra"].map(column) });
				const ids = new Map(result.rows.map(r => [r.source_id, r.id]));
				for (const row of rows)
					if (ids.has(row.id))
						publish(row, ids.get(row.id));
				break;
			} catch (e) {
				console.error(`database: ${e.message}`);
				await new Promise(r => setTimeout(r, 200));
			}
		}
		for (const m of batch)
			m.acknowledge();
	}
	busy = false;
}

function connect(id) {
	const client = mqtt.connect({ host: "127.0.0.1", port: options.port, username: options.user, password: options.password,
		clientId: `peer-${id}`, protocolVersion: 5, clean: true, properties: { receiveMaximum: 500 } });
	client.on("connect", () => client.stream.setNoDelay(true));
	return client;
}

async function main() {
	database = new Client({ connectionString: options.dsn });
	await database.connect();
	await database.query(TABLE);
	publisher = connect("out");
	await new Promise(r => publisher.once("connect", r));
	for (let i = 0; i < CONNECTIONS; i++) {
		const client = connect(`in-${i}`);
		client.handleMessage = (packet, acknowledge) => {
			waiting.push({ topic: packet.topic, payload: packet.payload, acknowledge });
			if (!busy) {
				busy = true;
				setImmediate(flush);
			}
		};
		await new Promise(r => client.once("connect", r));
		await client.subscribeAsync(`$share/peer/${options.root}/in/#`, { qos: 1 });
	}
	console.log("ready");
}

main().catch(e => { console.error(e); process.exit(1); });
