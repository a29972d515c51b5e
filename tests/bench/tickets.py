"""Tickets of the bench: about 1 KB of JSON each, in the contract's shape, with the members that a city's
platform sends. MARK and eight letters stand where load.c writes a ticket's number."""
import json
import random

MARK = "ZQXaaaaaaaa"

PLACES = ["幸福里3号楼", "三湾街17号院", "济源路与桐柏路交叉口东北角", "九冶院东门", "中原锦艺城北侧辅路", "零六社区文化广场",
	  "四方社区菜市场南门", "颍河路小学门口", "化工路中段公交站旁", "华山路西侧便道", "绿都花园二期7号楼2单元", "秦岭路地铁口C口"]
TROUBLES = [
	("物业/漏水", "normal", "家中卫生间顶部持续漏水，楼上住户称与其无关，物业上门看过两次都没有处理"),
	("物业/电梯", "urgent", "电梯运行时有异响并且多次停在两层之间，老人孩子都不敢乘坐"),
	("环卫/垃圾", "normal", "垃圾桶已经满了三天没有清运，污水流到人行道上，异味很大"),
	("环卫/公厕", "normal", "公共厕所长期停水，地面湿滑，昨天有人滑倒"),
	("市政/路面", "normal", "路面塌陷形成一个直径约半米的坑，夜间没有警示标志，电动车多次在此摔倒"),
	("市政/路灯", "normal", "路灯连续五盏不亮，晚上接送孩子很不方便"),
	("市政/井盖", "urgent", "井盖破损翘起，机动车压过时声音很大，担心有人踩空"),
	("城管/占道", "normal", "商贩长期占道经营，下午放学时段行人只能走机动车道"),
	("城管/噪声", "normal", "工地夜间十一点以后仍在施工，影响附近居民休息"),
	("城管/违建", "normal", "一楼住户在公共绿地上搭建棚房，遮挡了二楼采光"),
	("老旧小区/车位", "normal", "小区内停车位画线之后反而少了，消防车辆难以进入"),
	("老旧小区/暖气", "normal", "老旧管道改造之后室内温度一直达不到标准，多次报修没有结果"),
	("应急/积水", "urgent", "雨后道路积水较深，下水口被树叶堵住，行人无法通过"),
	("治安", "urgent", "楼道内夜间经常有陌生人逗留，居民感到不安"),
	("民生/养老", "normal", "日间照料中心开放时间太短，午餐也停供了，希望恢复"),
	("公用/供水", "urgent", "自来水水压不足，四楼以上早晚高峰基本没有水"),
	("市场/食品", "normal", "超市售卖的熟食没有标签，疑似过期，购买后感觉味道不对"),
	("邻里/其他", "normal", "邻居长期在公共走廊堆放杂物，沟通多次没有效果"),
]
# One ticket in six meets a rule; in an office it is about as many.
KEYWORDS = ["家里闻到煤气味，非常害怕，", "有居民家的狗咬人，", "楼道充电的电动车有好几辆，", "发现化粪池满，", "多次反映，怀疑有人不作为，",
	    "旁边有一辆废弃车辆一直没有人管，", "已经准备找记者，", "树枝断裂砸到了围栏，"]
PADDING = ["此前曾于上月向社区反映，工作人员答复会尽快协调，但至今没有进展。", "诉求人希望有关部门现场查看并给出明确的处理时间，办理结果请电话告知。",
	   "附近居民约有四十户受到影响，其中不少是老人和孩子，大家都希望早日解决。", "诉求人可以提供现场照片和录像，也愿意配合上门核实情况。"]
NAMES = ["李建国", "王秀英", "张伟", "刘桂兰", "陈志强", "赵敏", "孙玉梅", "周涛"]


def decimals(whole, first, rng):
	"""Six of them, which load.c writes anew for each ticket; a last zero would not be printed."""
	return float(f"{whole}.{first + rng.randrange(5000) * 10 + 1:06d}")


def ticket(i, rng):
	category, urgency, trouble = TROUBLES[i % len(TROUBLES)]
	place = PLACES[i % len(PLACES)]
	text = f"{MARK}号：{place}{KEYWORDS[i // 6 % len(KEYWORDS)] if i % 6 == 0 else ''}{trouble}。" + "".join(rng.sample(PADDING, 4))
	return {
		"v": 1, "id": f"GD-{MARK}", "kind": "report", "time": "2026-01-01T00:00:00+08:00", "text": text,
		"category": category, "urgency": urgency,
		"reporter": {"name": NAMES[i % len(NAMES)], "phone": f"138{rng.randrange(10**8):08d}", "ref": f"u-{rng.randrange(10**9):09d}"},
		"place": {"address": place, "grid": f"41010600300{(1, 7)[i % 2]}00{i % 5 + 1}", "lat": decimals(34, 600000, rng),
			  "lon": decimals(113, 450000, rng), "crs": "gcj02"},
		"media": [{"url": f"https://media.example.gov.cn/p/{rng.randrange(10**10):010d}.jpg", "type": "image/jpeg"}],
		"reply_to": {"ticket": rng.randrange(10**8)}, "caller_count": rng.randrange(1, 4), "platform": "12345",
	}


def write(path, n=180):
	"""One ticket a line; returns their mean size in bytes."""
	rng = random.Random(1)
	lines = [json.dumps(ticket(i, rng), ensure_ascii=False, separators=(",", ":")) for i in range(n)]
	with open(path, "w", encoding="utf-8") as f:
		f.write("\n".join(lines) + "\n")
	return sum(len(line.encode()) for line in lines) / n
