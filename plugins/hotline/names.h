#pragma once
/*
 * What cities call the columns of a ticket. Only the decoder includes it: it is a table of its own because
 * it grows with every city, and nothing else about the decoder does.
 */

/* From F_PART on a member also goes on under its own name: our field holds only a part of it. */
enum field { F_NUMBER, F_TIME, F_TITLE, F_TEXT, F_CATEGORY, F_URGENCY, F_NAME,
	     F_PHONE, F_ADDRESS, F_GRID, F_ACCUSED, F_MEDIA, F_PART, F_LON, F_LAT, F_SECRET,
	     F_COUNT, F_AGAIN, F_SCORE, F_VISIT, F_VISIT_TIME, F_COMMENT, N_FIELDS };

struct member {
	const char *theirs;
	enum field field;
};
struct shape {
	const char *marks[6];
	const struct member *members;
};

static const struct member chinese[] = {
	{"工单编号", F_NUMBER}, {"工单号", F_NUMBER}, {"受理编号", F_NUMBER}, {"派单时间", F_TIME},
	{"来电时间", F_TIME}, {"受理时间", F_TIME}, {"登记时间", F_TIME}, {"标题", F_TITLE}, {"诉求标题", F_TITLE},
	{"工单标题", F_TITLE}, {"主要内容", F_TEXT}, {"诉求内容", F_TEXT}, {"工单内容", F_TEXT}, {"反映内容", F_TEXT},
	{"问题分类", F_CATEGORY}, {"诉求类别", F_CATEGORY}, {"事项分类", F_CATEGORY}, {"紧急程度", F_URGENCY},
	{"紧急等级", F_URGENCY}, {"来电人", F_NAME}, {"诉求人", F_NAME}, {"联系人", F_NAME}, {"来电人电话", F_PHONE},
	{"联系电话", F_PHONE}, {"来电号码", F_PHONE}, {"来电人电话/账号", F_PHONE}, {"事发地址", F_ADDRESS},
	{"诉求地址", F_ADDRESS}, {"地址", F_ADDRESS}, {"被反映区", F_PART}, {"被反映街乡镇", F_PART},
	{"村/社区", F_PART}, {"小区点位", F_PART}, {"网格编码", F_GRID}, {"网格编号", F_GRID}, {"所属网格编码", F_GRID},
	{"经度", F_LON}, {"纬度", F_LAT}, {"被反映单位", F_ACCUSED}, {"被投诉单位", F_ACCUSED},
	{"被举报单位", F_ACCUSED}, {"附件", F_MEDIA}, {"图片", F_MEDIA}, {"音频", F_MEDIA}, {"视频", F_MEDIA},
	{"是否保密", F_SECRET}, {"保密", F_SECRET}, {"派单次数", F_COUNT}, {"派发次数", F_COUNT},
	{"二次派单", F_AGAIN}, {"是否二次派单", F_AGAIN}, {"派单类型", F_AGAIN}, {"办理类型", F_AGAIN},
	{"是否满意", F_SCORE}, {"满意度", F_SCORE}, {"回访结果", F_SCORE}, {"回访时间", F_VISIT_TIME},
	{"回访日期", F_VISIT_TIME}, {"回访人", F_VISIT}, {"回访方式", F_VISIT}, {"回访情况", F_VISIT},
	{"回访意见", F_COMMENT}, {"不满意原因", F_COMMENT}, {"回访内容", F_COMMENT},
	{NULL, N_FIELDS},
};
static const struct member pinyin[] = {
	{"gdbh", F_NUMBER}, {"startTime", F_TIME}, {"slsj", F_TIME}, {"gdbt", F_TITLE},
	{"gdnr", F_TEXT}, {"sqnr", F_TEXT}, {"wtfl", F_CATEGORY}, {"jjcd", F_URGENCY},
	{"sqr", F_NAME}, {"ldr", F_NAME}, {"lxdh", F_PHONE}, {"sjdz", F_ADDRESS}, {"wgbm", F_GRID},
	{"gridCode", F_GRID}, {"imageUrl", F_MEDIA}, {"audioUrl", F_MEDIA}, {"fj", F_MEDIA},
	{"sfbm", F_SECRET}, {"pdcs", F_COUNT}, {"pdlx", F_AGAIN}, {"sfmy", F_SCORE},
	{"hfsj", F_VISIT_TIME}, {"hfr", F_VISIT}, {"hfyj", F_COMMENT},
	{NULL, N_FIELDS},
};
static const struct member event[] = {
	{"id", F_NUMBER}, {"happenTime", F_TIME}, {"createTime", F_TIME}, {"eventName", F_TITLE},
	{"eventContent", F_TEXT}, {"eventSecondType", F_CATEGORY}, {"eventFirstType", F_CATEGORY},
	{"urgencyLevel", F_URGENCY}, {"eventPlace", F_ADDRESS}, {"gridCode", F_GRID},
	{"eventLong", F_LON}, {"eventLat", F_LAT}, {"pictures", F_MEDIA}, {"video", F_MEDIA},
	{"voice", F_MEDIA}, {"dispatchCount", F_COUNT},
	{NULL, N_FIELDS},
};
static const struct member caller[] = {
	{"appealNo", F_NUMBER}, {"orderNo", F_NUMBER}, {"workOrderNo", F_NUMBER},
	{"appealId", F_NUMBER}, {"id", F_NUMBER}, {"appealTime", F_TIME}, {"callTime", F_TIME},
	{"createTime", F_TIME}, {"appealSubject", F_TITLE}, {"appealContent", F_TEXT},
	{"remark", F_TEXT}, {"appealType", F_CATEGORY}, {"urgencyLevel", F_URGENCY},
	{"callerName", F_NAME}, {"contactPhone", F_PHONE}, {"incidentAddress", F_ADDRESS},
	{"gridCode", F_GRID}, {"attachments", F_MEDIA}, {"isSecret", F_SECRET},
	{"dispatchCount", F_COUNT}, {"dispatchType", F_AGAIN}, {"satisfaction", F_SCORE},
	{"visitTime", F_VISIT_TIME}, {"visitor", F_VISIT}, {"visitRemark", F_COMMENT},
	{NULL, N_FIELDS},
};
static const struct member workorder[] = {
	{"workordercode", F_NUMBER}, {"dispatchtime", F_TIME}, {"workordertitle", F_TITLE},
	{"workordercontent", F_TEXT}, {"workordertype", F_CATEGORY}, {"urgency", F_URGENCY}, {"callername", F_NAME},
	{"callerphone", F_PHONE}, {"area", F_PART}, {"place", F_PART}, {"gridcode", F_GRID}, {"attachments", F_MEDIA},
	{"issecret", F_SECRET}, {"dispatchcount", F_COUNT}, {"satisfaction", F_SCORE}, {"visittime", F_VISIT_TIME},
	{"visitremark", F_COMMENT},
	{NULL, N_FIELDS},
};
static const struct shape shapes[] = {
	{{"工单编号", "工单号", "诉求内容", "主要内容", "派单次数"}, chinese},
	{{"gdbh", "gdnr", "gdzt", "bldlx"}, pinyin},
	{{"workordercode", "workordercontent"}, workorder},
	{{"callerName", "appealSubject", "appealType", "incidentAddress", "appealNo"}, caller},
	{{"eventName", "eventContent", "eventPlace", "eventFirstType"}, event},
};
