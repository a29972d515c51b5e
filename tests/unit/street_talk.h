#pragma once
/*
 * What a street says in its groups, generated: the same seed, the same words. Everyday matters with their ups and downs, a feast, a
 * cut of water that many report, and from the 16th day on things thrown from high windows, which hardly anybody reports.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))

struct street {
	uint64_t state;
	char text[512];
	int grid;
};
static const char *const street_who[] = {"王阿姨", "李师傅", "楼上邻居", "物业小张", "三楼大哥", "我家孩子", "隔壁老刘", "门口保安", "社区小陈",
					 "群里朋友", "快递小哥", "一楼奶奶", "我婆婆", "咱们楼长", "对门姑娘"};
static const char *const street_when[] = {"今天早上", "昨天晚上", "刚才", "中午", "这几天", "周末", "下午三点", "前天", "上个礼拜", "每天晚上", "半夜",
					  "一大早", "下班以后", "吃完饭", "刚刚"};
static const char *const street_where[] = {"小区门口", "东门", "西门", "地下车库", "楼道里", "电梯里", "小广场", "幼儿园旁边", "菜市场", "快递柜那边",
					   "花坛边上", "健身器材那里", "公交站", "三号楼下", "社区服务站", "停车棚"};
static const char *const street_thing[] = {"钥匙", "雨伞", "小猫", "羽绒服", "电动车", "充电器", "婴儿车", "快递", "菜篮子", "手机", "公交卡", "课本",
					   "眼镜", "自行车", "水杯", "围巾", "小狗", "书包", "蓝色外套", "药盒"};
static const char *const street_food[] = {"苹果", "草莓", "牛肉", "鸡蛋", "馒头", "羊肉汤", "豆腐脑", "胡辣汤", "烩面", "大虾", "橙子", "西红柿", "白菜",
					  "小米", "粉条", "红薯", "石榴", "柿子"};
static const char *const street_end[] = {"", "哈", "呀", "谢谢大家", "麻烦了", "有人知道吗", "求回复", "急", "多谢", "辛苦了", "大家看看", "怎么办", "吧", "呢",
					 "不好意思", "@所有人", "👍", "。", "！"};
/* $w who, $t when, $p where, $g thing, $f food, $e end. */
static const char *const street_lines[] = {
	"$t在$p捡到一个$g$e", "谁家$g丢了，在$p$e", "$w$t说$p停电了？$e", "团购$f还有吗$e", "接龙：$f两份$e", "$f今天特价$e", "好的收到$e", "谢谢$w$e",
	"$t有人去$p吗，帮忙带点$f$e", "出闲置$g，八成新$e", "求购二手$g$e", "$p的$g挡路了，挪一下车$e", "$w$t在家吗$e", "孩子学校$t开家长会$e",
	"$p新开了一家店，$f不错$e", "请问$p几点关门$e", "明天降温，大家多穿点$e", "$w生日快乐$e", "社保卡去哪里办$e", "核酸检测还做吗$e",
	"拼车去高铁站，$t出发$e", "$p有人遛狗不牵绳$e", "$w家的$g太吵了$e", "暖气热不热啊$e", "我家暖气不太热$e", "$t谁看见我的$g了$e", "物业费$t交$e",
	"$p灯不亮$e", "早上好$e", "晚安各位$e", "医保在$p缴$e", "$w帮忙收一下快递$e", "电梯$t又停了一会$e", "$p垃圾桶满了$e", "听说$p要修路$e",
	"这$f哪买的$e", "加我微信$e", "图书角$t开放$e", "广场舞$t改到$p$e", "$w说的对$e"};
static const char *const street_feast[] = {"中秋快乐$e", "祝大家中秋快乐，阖家团圆", "$w中秋快乐$e", "中秋月饼$f馅的好吃$e"};
static const char *const street_water[] = {"$t停水了$e", "我家停水了$e", "$p停水通知看了吗$e", "停水到几点$e", "又停水，没法做$f$e"};
static const char *const street_thrown[] = {"$t楼上又高空抛物了$e", "高空抛物太危险了$e", "谁家高空抛物，差点砸到$w$e", "$p有人高空抛物，扔下来一个$g$e",
					    "求装摄像头管管高空抛物$e", "$w也看见高空抛物了$e", "我家$g被高空抛物砸坏$e", "高空抛物能不能报警$e"};

static uint32_t street_next(struct street *s, size_t below)
{
	s->state = s->state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((s->state >> 33) % below);
}

static const char *street_word(struct street *s, char kind)
{
	switch (kind) {
	case 'w': return street_who[street_next(s, N_OF(street_who))];
	case 't': return street_when[street_next(s, N_OF(street_when))];
	case 'p': return street_where[street_next(s, N_OF(street_where))];
	case 'g': return street_thing[street_next(s, N_OF(street_thing))];
	case 'f': return street_food[street_next(s, N_OF(street_food))];
	default: return street_end[street_next(s, N_OF(street_end))];
	}
}

static const char *street_say(struct street *s, const char *line)
{
	size_t n = 0;

	for (; *line && n < sizeof(s->text) - 64; line++) {
		if (*line == '$')
			n += (size_t)snprintf(s->text + n, sizeof(s->text) - n, "%s", street_word(s, *++line));
		else
			s->text[n++] = *line;
	}
	s->text[n] = 0;
	return s->text;
}

/* A line of talk on a day of the month, 0 … 27. */
static const char *street_talk(struct street *s, int day)
{
	uint32_t dice = street_next(s, 1000);

	if (day >= 21 && day < 25 && dice < 60)
		return street_say(s, street_feast[street_next(s, N_OF(street_feast))]);
	if ((day == 9 || day == 10) && dice < 120)
		return street_say(s, street_water[street_next(s, N_OF(street_water))]);
	if (day >= 15 && dice < 22)
		return street_say(s, street_thrown[street_next(s, N_OF(street_thrown))]);
	/* Some matters have their days. */
	return street_say(s, street_lines[(street_next(s, N_OF(street_lines)) + (dice < 200 ? (uint32_t)day / 7 : 0)) % N_OF(street_lines)]);
}

/* A report; of the cut of water there are many, of what is thrown nearly none. */
__attribute__((unused)) static const char *street_report(struct street *s, int day, int n)
{
	if ((day == 9 || day == 10) && n % 2)
		return street_say(s, street_water[street_next(s, N_OF(street_water))]);
	if (day == 17 && n == 0)
		return street_say(s, street_thrown[0]);
	return street_say(s, n % 3 ? "$p灯不亮$e" : "$p垃圾桶满了$e");
}
