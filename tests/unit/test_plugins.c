/*
 * What the shipped channel plugins make of messages: each sample of plugins/NAME/samples becomes the reports
 * that the table says, and a broken one never more than a reason.
 */
#include "unit/plugin_desk.h"

static char *file_read(const char *plugin, const char *file, size_t *len)
{
	char path[PATH_MAX], *text = mem_alloc(1 << 16);
	FILE *f;

	snprintf(path, sizeof(path), "plugins/%s/samples/%s.json", plugin, file);
	f = fopen(path, "re");
	if (!f)
		fail_msg("no file %s: run this test in the project's folder", path);
	*len = fread(text, 1, (1 << 16) - 1, f);
	fclose(f);
	return text;
}

/* ---- samples --------------------------------------------------------------------------------- */

/* `want`: a list of what each report must hold, with ' for "; null: the member must be absent. */
static const struct sample {
	const char *plugin, *file, *want;
} samples[] = {
	{"template", "report", "[{'id':'A-17','text':'路灯不亮','place':{'address':'幸福里3号楼'},'category':null}]"},

	{"hotline", "chinese",
	 "[{'id':'GD20261120000123','kind':'report','about':null,'category':'城管/占道','urgency':'urgent',"
	 "'time':'2026-11-20 08:31:07','reporter':{'name':'李某','phone':'138 0000 0000','secret':null},"
	 "'text':'市民反映幸福里小区东门两侧商户店外经营占道，行人只能走机动车道。',"
	 "'place':{'address':'中原区济源路街道幸福里社区东门','grid':'410106003007012'},"
	 "'media':[{'url':'https://files.example.cn/1.jpg'},{'url':'https://files.example.cn/2.mp4'}],"
	 "'工单类型':'投诉','村/社区':'幸福里社区','办理时限':'5个工作日','是否满意':'未评价','主要内容':null}]"},
	{"hotline", "chinese-again",
	 "[{'id':'GD20261120000123#2','kind':'again','about':'GD20261120000123','urgency':'critical',"
	 "'text':'市民再次反映店外经营占道未解决。','time':'2026-11-27 10:02:00'}]"},
	{"hotline", "chinese-secret",
	 "[{'id':'GD20261121000007','kind':'report','text':'举报路口早餐店使用过期面粉。','category':'市场/食品',"
	 "'reporter':{'secret':true,'name':null,'phone':'13900000000'},'accused':'某早餐店',"
	 "'place':{'address':'济源路12号'}}]"},
	{"hotline", "chinese-visit",
	 "[{'id':'GD20261120000123#rate#20261125093000','kind':'rate','about':'GD20261120000123',"
	 "'score':'dissatisfied','comment':'整治后第二天又摆出来了','time':'2026-11-25 09:30:00','text':null,"
	 "'是否解决':'未解决'}]"},
	{"hotline", "chinese-unrated", "[]"},
	{"hotline", "chinese-urge",
	 "[{'id':'GD20261120000123#urge#20261123091500','kind':'urge','about':'GD20261120000123','time':'2026-11-23 09:15:00',"
	 "'text':'市民来电催促，希望尽快解决。','category':null}]"},
	{"hotline", "pinyin",
	 "[{'id':'20261120370102000045','kind':'report','urgency':'normal','time':'2026-11-20 19:05:11',"
	 "'text':'幸福里3号楼北侧路灯不亮，夜间出行不便。','category':null,"
	 "'reporter':{'name':'王女士','phone':'13700000000'},'name':'济源路街道办事处','gdzt':'待签收',"
	 "'endTime':'2026-11-27 19:05:11','media':[{'url':'https://files.example.cn/lamp.jpg'}]}]"},
	{"hotline", "pinyin-again",
	 "[{'id':'20261120370102000045#2','kind':'again','about':'20261120370102000045','urgency':'urgent'}]"},
	{"hotline", "event",
	 "[{'id':'880123','kind':'report','category':'17001','time':'2026-11-20 08:31:07',"
	 "'text':'巡查发现井盖破损，已设置警示标志。','eventFirstType':17,'involvingDept':'城管办',"
	 "'place':{'address':'幸福里3号楼前','grid':'410106003007012','lat':34.7504,'lon':113.6201,'crs':null}}]"},
	{"hotline", "caller",
	 "[{'id':'GZ-2026-004417','kind':'report','category':'物业/漏水','urgency':'urgent',"
	 "'text':'楼顶漏水\\n顶层住户反映下雨就漏水，物业一直未处理。',"
	 "'reporter':{'name':'张某','phone':'0371-60000000'},'place':{'address':'幸福里5号楼2单元'},"
	 "'expectedDeadline':'2026-11-27'}]"},
	{"hotline", "workorder",
	 "[{'id':'WX2026112000088','kind':'report','text':'小区门口垃圾桶满溢，异味大。',"
	 "'time':'2026-11-20 07:45:00','state':0,'place':{'address':'中原区济源路与伏牛路口'},"
	 "'media':[{'url':'https://files.example.cn/a.jpg'},{'url':'https://files.example.cn/b.jpg'}]}]"},
	{"hotline", "list",
	 "[{'id':'GD20261120000201','text':'家中暖气不热','category':'老旧小区/暖气'},"
	 "{'id':'GD20261120000202','text':'停水两天','category':'公用/供水'}]"},

	{"wechat", "order",
	 "[{'id':'order20261120000017','kind':'report','text':'幸福里3号楼前井盖破损','category':'市政/井盖',"
	 "'urgency':'urgent','time':'2026-11-20T08:31:07+08:00',"
	 "'reporter':{'name':'刘某','phone':'13600000000','ref':'oUnion0001'},"
	 "'place':{'address':'河南省郑州市中原区济源路幸福里小区','lat':34.7504,'lon':113.6201,'crs':'gcj02',"
	 "'grid':null},'grid_id':'grid_12','grid_name':'幸福里第十二网格','video_media_ids':['WWVIDEO1'],"
	 "'media':[{'url':'https://wework.example.cn/p/1'},{'url':'https://wework.example.cn/p/2'}],"
	 "'reply_to':{'channel':'wecom','order_id':'order20261120000017','unionid':'oUnion0001'}}]"},
	{"wechat", "order-list",
	 "[{'id':'order20261120000018','text':'楼道堆物','urgency':'normal','place':{'grid':'410106003007012'},"
	 "'grid_id':null},{'id':'order20261120000019','category':'市政/路灯','place':null}]"},
	{"wechat", "group-talk",
	 "[{'id':'CAQQ1-7001','kind':'talk','text':'刚才楼上又往下扔东西了，吓死人','reporter':null,"
	 "'reply_to':null,'chat':'wr-xingfuli','time':'2026-11-20T08:31:07+08:00'}]"},
	{"wechat", "group-report",
	 "[{'id':'CAQQ1-7002','kind':'report','text':'上报：3号楼前污水井冒溢',"
	 "'reporter':{'name':'网格员小周','ref':'wo-78'},'reply_to':{'channel':'wecom','token':'T0001',"
	 "'expires':1795307500,'chat':{'type':'group','id':'wr-xingfuli'},'to':'wo-78','msgid':'CAQQ1-7002'}}]"},
	{"wechat", "group-bot",
	 "[{'id':'CAQQ1-7003','kind':'report','text':'幸福里东门路灯不亮','time':'2026-11-20T08:31:51+08:00',"
	 "'media':[{'url':'https://bridge.example.cn/m/9','type':'image/jpeg'}]}]"},
	{"wechat", "group-image", "[]"},
	{"wechat", "single-text",
	 "[{'id':'23456789012345678','kind':'report','text':'5号楼电梯又停了，老人下不了楼',"
	 "'time':'2026-11-20T08:31:07+08:00','reporter':{'ref':'oResident0042'},"
	 "'reply_to':{'channel':'mp','to':'oResident0042'}}]"},
	{"wechat", "single-location",
	 "[{'id':'23456789012345679','kind':'report','text':'[位置] 幸福里小区东门',"
	 "'place':{'address':'幸福里小区东门','lat':34.7504,'crs':'gcj02'}}]"},
	{"wechat", "single-image",
	 "[{'id':'23456789012345680','kind':'report','text':'[图片]',"
	 "'media':[{'url':'/var/lib/needle-wechat/media/80.jpg'}]}]"},

	{"device", "manhole",
	 "[{'id':'ALM-20261120-0007','kind':'report','text':'井盖倾斜 35°','category':'市政/井盖',"
	 "'urgency':'urgent','device':'860000000000017','time':'2026-11-20T08:31:07+08:00','rsrp':-101,"
	 "'place':{'address':'幸福里3号楼前','grid':'410106003007012','lat':34.7504,'lon':113.6201,"
	 "'crs':'wgs84'},'reading':{'state':'alarm','alarm':'tilt','value':35.0}}]"},
	{"device", "manhole-cleared",
	 "[{'id':'ALM-20261120-0007:clear','text':'井盖倾斜，已恢复','category':'市政/井盖','device':'860000000000017',"
	 "'reading':{'state':'clear','alarm':'tilt','value':1.0}}]"},
	{"device", "manhole-no-id",
	 "[{'id':'860000000000018:20261120083107:open','text':'井盖打开','urgency':'urgent',"
	 "'time':'2026-11-20 08:31:07','place':null}]"},
	{"device", "water",
	 "[{'id':'SW-0007:20260720150405:LEVEL_HIGH','text':'积水水位过高 0.42米，限值0.3米',"
	 "'category':'应急/积水','urgency':'critical','device':'SW-0007','place':{'address':'陇海路立交桥下',"
	 "'lat':34.7401,'lon':113.6102}},"
	 "{'id':'W-99','text':'水位监测设备电量低 11%','urgency':'normal','device':'SW-0007'},"
	 "{'id':'SW-0007:20260720150405:LEVEL_RISING:clear','text':'水位上涨过快，已恢复','reading':{'state':'clear'}}]"},
	{"device", "level",
	 "[{'id':'SW-0007:20260720150905:LEVEL_HIGH','text':'水位 0.12米','category':'应急/积水','device':'SW-0007',"
	 "'battery':81,'reading':{'state':'value','alarm':'LEVEL_HIGH','value':0.12},"
	 "'place':{'address':'陇海路立交桥下'}}]"},
	{"device", "gateway",
	 "[{'id':'784f394c-42b6-435a-983c-b7beff2784f9','text':'烟雾告警 2.1dB/m','category':'应急/消防',"
	 "'urgency':'critical','device':'yangan-5-2','place':{'address':'幸福里5号楼2单元3层楼道'}}]"},
	{"device", "gateway-cleared",
	 "[{'id':'784f394c-42b6-435a-983c-b7beff2784f9:clear','text':'烟雾告警，已恢复',"
	 "'reading':{'state':'clear','alarm':'Smoke'}}]"},
	{"device", "batch",
	 "[{'id':'ALM-1','text':'井盖丢失','urgency':'critical','time':'2026-11-20T08:31:07+08:00'},"
	 "{'id':'ALM-2','text':'设备告警 E17','category':null,'urgency':null},"
	 "{'id':'ALM-3','text':'心跳','category':'市政/井盖','reading':{'state':'alive','alarm':null}}]"},
};

/* What a decoder makes is a report for the core too. */
static void core_understands(struct desk *d, const char *text, size_t len, size_t n)
{
	struct message m = {.topic = "needle/jiyuanlu/in/it/s1", .payload = text, .payload_len = len,
			    .received_at = 1795134999000000};
	struct understood u;

	if (understand(&d->office, decoders_lookup, d->set, &m, &d->arena, &u, &d->e) != 0)
		fail_msg("%s: %s", d->channel.decoder, d->e.text);
	assert_int_equal(u.n_reports, n);
	for (size_t i = 0; i < n; i++)
		assert_false(u.reports[i].marks & (MARK_TIME_BAD | MARK_PHONE_ODD | MARK_URGENCY_UNKNOWN));
	understood_done(&u);
}

static void sample_check(const struct sample *s)
{
	CLEANUP(mem_freep) char *text = NULL;
	struct desk d;
	char **reports;
	size_t n, len;
	json_t *want = want_parse(s->want), *got = json_array();
	const char *where;

	text = file_read(s->plugin, s->file, &len);
	if (desk_open(&d, plugin_folder(), s->plugin, NULL, 0) != 0)
		fail_msg("%s", d.e.text);
	if (desk_decode(&d, text, len, &reports, &n) != 0)
		fail_msg("%s/%s: %s", s->plugin, s->file, d.e.text);
	for (size_t i = 0; i < n; i++) {
		json_t *report = json_loads(reports[i], JSON_REJECT_DUPLICATES, NULL);

		assert_non_null(report);
		json_array_append_new(got, report);
	}
	where = differs(want, got, "(count)");
	if (where) {
		CLEANUP(mem_freep) char *shown = json_dumps(got, JSON_INDENT(1));

		fail_msg("%s/%s: %s differs in %s", s->plugin, s->file, where, shown);
	}
	core_understands(&d, text, len, n);
	json_decref(want);
	json_decref(got);
	desk_close(&d);
}

static void every_sample_becomes_the_reports_that_it_means(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		sample_check(&samples[i]);
}

/* ---- single sentences ------------------------------------------------------------------------ */

/* result: 0, ERR_BAD or DECODER_NOT_MINE; want as above, or a part of the reason. */
static const struct line {
	const char *plugin, *text;
	int result;
	const char *want;
} lines[] = {
	/* the contract's own form is left to the daemon, and so is what is no shape at all */
	{"hotline", "{'id':'A1','text':'x'}", DECODER_NOT_MINE, NULL},
	{"hotline", "{'id':'A1','kind':'urge','about':'A0'}", DECODER_NOT_MINE, NULL},
	{"wechat", "{'id':'A1','text':'x','place':{'address':'y'}}", DECODER_NOT_MINE, NULL},
	{"device", "{'id':'A1','category':'市政/井盖','device':'d1'}", DECODER_NOT_MINE, NULL},
	{"template", "{'id':'A1','text':'x'}", DECODER_NOT_MINE, NULL},
	{"hotline", "", DECODER_NOT_MINE, NULL},
	{"wechat", "[]", DECODER_NOT_MINE, NULL},
	{"device", "not json", DECODER_NOT_MINE, NULL},
	{"device", "null", DECODER_NOT_MINE, NULL},
	/* … whatever members of its own a sender adds to it; a vendor's `v` alone does not make it the contract's */
	{"hotline", "{'v':1,'id':'A1','text':'x','工单编号':'G1'}", DECODER_NOT_MINE, NULL},
	{"wechat", "{'v':1,'id':'A1','text':'x','order_id':'o1'}", DECODER_NOT_MINE, NULL},
	{"wechat", "{'v':1,'id':'A1','text':'x','msgid':'m1','chat':{'type':'single'}}", DECODER_NOT_MINE, NULL},
	{"wechat", "{'v':1,'id':'A1','text':'x','order_info':{'order_id':'o1','desc':'y'}}", DECODER_NOT_MINE, NULL},
	{"device", "{'v':1,'id':'A1','text':'x','sn':'1','level':0.4}", DECODER_NOT_MINE, NULL},
	{"device", "{'v':1,'id':'A1','text':'x','imei':'1','alarmType':'open'}", DECODER_NOT_MINE, NULL},
	{"device", "{'v':1,'imei':'1','alarmType':'open','alarmId':9}", 0, "[{'id':'9','x_v':1}]"},
	{"wechat", "{'v':1,'order_id':77,'desc':'x'}", 0, "[{'id':'77'}]"},
	/* a shape that lacks what it cannot lack */
	{"hotline", "{'诉求内容':'没有编号'}", ERR_BAD, "no number"},
	{"hotline", "{'工单编号':'','诉求内容':'编号为空'}", ERR_BAD, "no number"},
	{"hotline", "{'工单编号':1.23E+17,'诉求内容':'表格吃掉了编号'}", ERR_BAD, "lost its digits"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','派单次数':'很多'}", ERR_BAD, "dispatches"},
	{"hotline", "{'工单编号':'G1','是否满意':'还行吧'}", ERR_BAD, "evaluation"},
	{"hotline", "[{'工单编号':'G1','诉求内容':'x'},{'什么':'y'}]", ERR_BAD, "no ticket"},
	{"wechat", "{'order_id':{},'desc':'x'}", ERR_BAD, "order_id"},
	{"wechat", "{'msgid':'m1','chat':{},'text':'x'}", ERR_BAD, "chat.type"},
	{"device", "{'imei':'1','alarmType':'open'}", ERR_BAD, "neither"},
	{"device", "{'sn':'1','alarms':'none'}", ERR_BAD, "list"},
	{"device", "{'sn':'1','time':'2026-01-01','alarms':[17]}", ERR_BAD, "no type"},
	/* numbers, dispatches and ratings of tickets */
	{"hotline", "{'工单编号':12345678901,'诉求内容':'x'}", 0, "[{'id':'12345678901'}]"},
	{"hotline", "{'工单编号':'\\tG1 　','诉求内容':'x','派单次数':3}", 0, "[{'id':'G1#3','about':'G1'}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','二次派单':'是'}", 0, "[{'id':'G1#2','kind':'again'}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','二次派单':'否'}", 0, "[{'id':'G1','kind':'report'}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','派单类型':'首次派单'}", 0, "[{'kind':'report'}]"},
	{"hotline", "{'callerName':'保密','orderNo':'7','remark':'x','dispatchCount':2}", 0,
	 "[{'id':'7#2','about':'7','reporter':{'secret':true,'name':null}}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','来电人':'钱某','是否保密':'是'}", 0,
	 "[{'reporter':{'secret':true,'name':'钱某'}}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','来电人':'匿名'}", 0, "[{'reporter':null}]"},
	{"hotline", "{'工单编号':'G1','是否满意':'基本满意'}", 0,
	 "[{'id':'G1#rate','kind':'rate','score':'basically'}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','是否满意':'满意'}", 0, "[{'id':'G1','kind':'report'}]"},
	/* categories, media, words that nobody knows, and members that must not pass for ours */
	{"hotline", "{'工单编号':'G1','问题分类':' 城市管理 —> 市容 ＞井盖->'}", 0, "[{'category':'城市管理/市容/井盖'}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','附件':'无'}", 0, "[{'media':null,'附件':'无'}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','附件':[{'url':'http://a/1'},'http://a/2；http://a/3']}", 0,
	 "[{'media':[{'url':'http://a/1'},{'url':'http://a/2'},{'url':'http://a/3'}]}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','紧急程度':'十万火急'}", 0, "[{'urgency':'十万火急'}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','case':'JYL261120000001','kind':'withdraw','reply_to':7}", 0,
	 "[{'kind':'report','case':null,'x_case':'JYL261120000001','x_kind':'withdraw','reply_to':7}]"},
	{"hotline", "{'工单编号':'G1','诉求内容':'x','经度':'东','纬度':'34.7'}", 0, "[{'place':null,'经度':'东'}]"},
	/* group talk or not */
	{"wechat", "{'msgid':'1','chat':{'type':'group'},'text':'我反映一下'}", 0, "[{'kind':'talk'}]"},
	{"wechat", "{'msgid':'1','chat':{'type':'group'},'text':' 反映：灯坏了'}", 0, "[{'kind':'report'}]"},
	{"wechat", "{'msgid':'1','chat':{'type':'group'},'text':'@张三 灯坏了'}", 0, "[{'kind':'talk'}]"},
	{"wechat", "{'msgid':'1','chat':{'type':'group'},'text':'@机器人\\u2005灯坏了'}", 0, "[{'text':'灯坏了'}]"},
	{"wechat", "{'msgid':'1','chat':{'type':'group'},'text':'@机器人'}", 0, "[]"},
	{"wechat", "{'msgid':'1','chat':{'type':'group'},'mentioned':true,'text':'灯坏了'}", 0,
	 "[{'kind':'report'}]"},
	{"wechat", "{'msgid':'1','chat':{'type':'single'},'type':'event'}", 0, "[]"},
	{"wechat", "{'order_id':77,'desc':'x','urge_type':'特急'}", 0,
	 "[{'id':'77','urgency':'特急','reply_to':{'order_id':'77'}}]"},
	/* alarms */
	{"device", "{'sn':'1','alarms':[]}", 0, "[]"},
	{"device", "{'imei':'1','alarmType':'overflow','alarmId':9,'waterLevel':80,'text':'y'}", 0,
	 "[{'id':'9','text':'井内水位过高 80厘米','x_text':'y'}]"},
	{"device", "{'id':'a-1','type':'Low Battery','severity':'MINOR','originator':{'id':'d9'}}", 0,
	 "[{'id':'a-1','device':'d9','text':'设备电量低','category':null}]"},
	{"device", "{'id':'a-1','type':'Smoke','severity':'MINOR','originator':{'id':'d9'},'cleared':true}", 0,
	 "[{'id':'a-1:clear','text':'烟雾告警，已恢复'}]"},
	{"device", "{'imei':'1','alarmType':'open','alarmStatus':0}", 0, "[]"},
	{"device", "{'imei':'1','alarmType':'heartbeat'}", 0, "[{'id':'1:heartbeat','reading':{'state':'alive'}}]"},
	{"device", "{'imei':'1','alarmType':'normal','alarmTime':1795134667}", 0,
	 "[{'id':'1:20261120083107:normal:clear','text':'设备正常','reading':{'state':'clear','alarm':null}}]"},
	{"device", "{'sn':'1','level':0.4,'time':'2026-01-01 10:00','reading':7}", 0,
	 "[{'text':'水位 0.4','x_reading':7,'reading':{'state':'value','value':0.4}}]"},
};

static void a_single_member_decides_as_the_manual_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const struct line *l = &lines[i];
		CLEANUP(mem_freep) char *text = mem_strdup(l->text);
		json_t *got = json_array(), *want;
		struct desk d;
		char **reports;
		size_t n;
		int r;

		for (char *p = text; *p; p++)
			*p = (char)(*p == '\'' ? '"' : *p);
		assert_int_equal(desk_open(&d, plugin_folder(), l->plugin, NULL, 0), 0);
		r = desk_decode(&d, text, strlen(text), &reports, &n);
		if (r != l->result)
			fail_msg("%s %s: %d, not %d (%s)", l->plugin, text, r, l->result, d.e.text);
		if (r == ERR_BAD && (!strstr(d.e.text, l->want) || strcmp(d.e.code, "decoder") != 0))
			fail_msg("%s %s: the reason is %s", l->plugin, text, d.e.text);
		for (size_t k = 0; k < n; k++)
			json_array_append_new(got, json_loads(reports[k], 0, NULL));
		want = r == 0 ? want_parse(l->want) : json_null();
		if (r == 0 && differs(want, got, "(count)"))
			fail_msg("%s %s: %s differs in %s", l->plugin, text, differs(want, got, "(count)"),
				 n ? reports[0] : "nothing");
		json_decref(want);
		json_decref(got);
		desk_close(&d);
	}
}

/* ---- broken ones ----------------------------------------------------------------------------- */

/* Decodes a copy of exactly that size, so that a read behind its end is seen by ASan. */
static int decode_exact(struct desk *d, const char *text, size_t len)
{
	CLEANUP(mem_freep) char *copy = malloc(len ? len : 1);
	char **reports;
	size_t n;
	int r;

	assert_non_null(copy);
	if (len)
		memcpy(copy, text, len);
	arena_reset(&d->arena);
	r = desk_decode(d, copy, len, &reports, &n);
	assert_true(r == 0 || r == ERR_BAD || r == DECODER_NOT_MINE);
	if (r == ERR_BAD)
		assert_true(d->e.text[0] && str_is_utf8(d->e.text, strlen(d->e.text)));
	for (size_t i = 0; i < n; i++)
		assert_true(str_is_utf8(reports[i], strlen(reports[i])));
	return r;
}

static void a_sample_cut_at_any_byte_is_never_a_report(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		CLEANUP(mem_freep) char *text = NULL;
		struct desk d;
		size_t len;

		text = file_read(samples[i].plugin, samples[i].file, &len);
		while (len && text[len - 1] == '\n')
			len--;
		assert_int_equal(desk_open(&d, plugin_folder(), samples[i].plugin, NULL, 0), 0);
		for (size_t cut = 0; cut < len; cut++)
			assert_int_not_equal(decode_exact(&d, text, cut), 0);
		desk_close(&d);
	}
}

static void a_sample_with_a_flipped_byte_never_crashes(void **state)
{
	static const unsigned char flips[] = {0x01, 0x10, 0x80};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		CLEANUP(mem_freep) char *text = NULL;
		struct desk d;
		size_t len;

		text = file_read(samples[i].plugin, samples[i].file, &len);
		assert_int_equal(desk_open(&d, plugin_folder(), samples[i].plugin, NULL, 0), 0);
		for (size_t k = 0; k < len * ARRAY_LEN(flips); k++) {
			char *byte = &text[k / ARRAY_LEN(flips)], before = *byte;

			*byte = (char)((unsigned char)*byte ^ flips[k % ARRAY_LEN(flips)]);
			decode_exact(&d, text, len);
			*byte = before;
		}
		desk_close(&d);
	}
}

/* Puts each strange value in the place of each member, at every depth. */
static void members_replace(struct desk *d, json_t *root, json_t *at)
{
	static const char *const strange[] = {"null", "[]", "{}", "[[[]]]", "{\"id\":{}}", "-1", "1e300", "\"\"",
					      "\" \"", "true", "\"→->/\"", "9223372036854775807", "[null,1,\"a/b\"]"};
	const char *name;
	void *next;
	json_t *value;
	size_t i;

	json_array_foreach(at, i, value)
		members_replace(d, root, value);
	json_object_foreach_safe(at, next, name, value) {
		json_t *kept = json_incref(value);

		members_replace(d, root, value);
		for (i = 0; i < ARRAY_LEN(strange); i++) {
			CLEANUP(mem_freep) char *text = NULL;

			json_object_set_new(at, name, json_loads(strange[i], JSON_DECODE_ANY, NULL));
			text = json_dumps(root, JSON_COMPACT);
			decode_exact(d, text, strlen(text));
		}
		json_object_set_new(at, name, kept);
	}
}

static void a_member_of_another_type_never_crashes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		CLEANUP(mem_freep) char *text = NULL;
		struct desk d;
		json_t *root;
		size_t len;

		text = file_read(samples[i].plugin, samples[i].file, &len);
		root = json_loadb(text, len, 0, NULL);
		assert_int_equal(desk_open(&d, plugin_folder(), samples[i].plugin, NULL, 0), 0);
		members_replace(&d, root, root);
		json_decref(root);
		desk_close(&d);
	}
}

static void more_reports_than_a_message_may_hold_are_refused(void **state)
{
	struct desk d;
	struct str text = {0};
	char **reports;
	size_t n;

	(void)state;
	assert_int_equal(desk_open(&d, plugin_folder(), "device", NULL, 0), 0);
	for (int extra = 0; extra < 2; extra++) {
		str_reset(&text);
		for (int i = 0; i < REPORTS_PER_MESSAGE + extra; i++)
			str_addf(&text, "%c{\"imei\":\"1\",\"alarmType\":\"open\",\"alarmId\":%d}", i ? ',' : '[', i);
		str_addc(&text, ']');
		assert_int_equal(desk_decode(&d, text.s, text.len, &reports, &n), extra ? ERR_BAD : 0);
		assert_true(extra || n == REPORTS_PER_MESSAGE);
	}
	assert_string_equal(d.e.code, "too-many");
	str_done(&text);
	desk_close(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sample_becomes_the_reports_that_it_means),
		cmocka_unit_test(a_single_member_decides_as_the_manual_says),
		cmocka_unit_test(a_sample_cut_at_any_byte_is_never_a_report),
		cmocka_unit_test(a_sample_with_a_flipped_byte_never_crashes),
		cmocka_unit_test(a_member_of_another_type_never_crashes),
		cmocka_unit_test(more_reports_than_a_message_may_hold_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
