// Sends N callbacks to URL, sealed in turn by @wecom/crypto and wechat-crypto; what is answered is opened by the other one.
const http = require("http");
const wecom = require("@wecom/crypto");
const WechatCrypto = require("wechat-crypto");

const [url, token, key, app, n] = process.argv.slice(2);
let counter = 1000;
const other = new WechatCrypto(token, key, app);

function post(query, body) {
	return new Promise((resolve, reject) => {
		const request = http.request(`${url}?${new URLSearchParams(query)}`, {method: "POST"}, (answer) => {
			let text = "";
			answer.on("data", (part) => { text += part; });
			answer.on("end", () => resolve([answer.statusCode, text]));
		});
		request.on("error", reject);
		request.end(body);
	});
}

function check(what, wanted, got) {
	if (wanted !== got) {
		console.error(`${what}: wanted ${wanted}, got ${got}`);
		process.exit(1);
	}
}

async function say(i, user, content, id) {
	const timestamp = String(Math.floor(Date.now() / 1000)), nonce = `${Date.now()}${counter++}`;
	const message = `<xml><ToUserName><![CDATA[gh]]></ToUserName><FromUserName><![CDATA[${user}]]></FromUserName>` +
		`<CreateTime>${timestamp}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${content}]]></Content>` +
		`<MsgId>${id}</MsgId></xml>`;
	const sealed = i % 2 ? wecom.encrypt(key, message, app) : other.encrypt(message);
	const sign = wecom.getSignature(token, timestamp, nonce, sealed);
	check("the signatures of both", sign, other.getSignature(timestamp, nonce, sealed));
	const [status, body] = await post({timestamp, nonce, msg_signature: sign},
		`<xml><ToUserName><![CDATA[${app}]]></ToUserName><Encrypt><![CDATA[${sealed}]]></Encrypt></xml>`);
	check("the status", 200, status);
	if (body === "success")
		return null;
	const encrypted = /<Encrypt><!\[CDATA\[(.*?)\]\]>/.exec(body)[1];
	const stamp = /<TimeStamp>(\d+)</.exec(body)[1], once = /<Nonce><!\[CDATA\[(.*?)\]\]>/.exec(body)[1];
	check("our signature", /<MsgSignature><!\[CDATA\[(.*?)\]\]>/.exec(body)[1], wecom.getSignature(token, stamp, once, encrypted));
	const opened = i % 2 ? other.decrypt(encrypted) : wecom.decrypt(key, encrypted);
	check("the id at the end", app, opened.id);
	return /<Content><!\[CDATA\[(.*?)\]\]>/s.exec(opened.message)[1];
}

(async () => {
	for (let i = 0; i < Number(n); i++) {
		await say(i, `oNpm${i}`, `幸福里${i}号楼漏水`, `85${String(i).padStart(4, "0")}`);
		const said = await say(i, `oNpmHello${i}`, "你好", `86${String(i).padStart(4, "0")}`);
		if (!said || !said.startsWith("您好")) {
			console.error(`no greeting: ${said}`);
			process.exit(1);
		}
	}
})();
