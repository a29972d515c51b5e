/* One table: a word that is missing shows as its English source, so that nothing is ever silent. */
#include "ctl/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

static const struct {
	const char *english, *chinese;
} catalogue[] = {
	/* states of a case */
	{"received", "收到"}, {"triage", "待分诊"}, {"assigned", "已派"}, {"accepted", "已签收"},
	{"suspended", "挂账"}, {"resolved", "已办结"}, {"closed", "已销号"}, {"joined", "已并案"},
	/* what happens to it */
	{"copied", "抄送"}, {"contacted", "已联系"}, {"progress", "进展"}, {"due_soon", "临期提醒"},
	{"overdue", "逾期"}, {"reminded", "催办"}, {"escalated", "升级上报"}, {"cleared", "逾期解除"},
	{"supervised", "督办"}, {"answered", "督办回复"}, {"urged", "群众催办"}, {"supplemented", "补充"},
	{"returned", "退单"}, {"transferred", "转办"}, {"recalled", "收回"}, {"reopened", "重新办理"},
	{"asked", "申请"}, {"granted", "准予"}, {"denied", "不准"}, {"resumed", "恢复计时"},
	{"whistled", "吹哨"}, {"reported_in", "报到"}, {"support_done", "协办完成"}, {"consulted", "会商"},
	{"rated", "评价"}, {"rejected", "不予受理"}, {"amended", "更正"}, {"deadline_revised", "时限调整"},
	{"duplicate", "重复"}, {"delivered", "已送达"}, {"status", "查询"}, {"withdrawn", "已撤回"},
	{"unrated", "逾期未评"}, {"satisfied", "满意"}, {"basically", "基本满意"}, {"dissatisfied", "不满意"},
	/* results */
	{"created", "已立案"}, {"updated", "已更新"}, {"dead", "死信"}, {"done", "完成"}, {"refused", "不予办理"},
	{"bad", "看不懂"}, {"waiting for leave", "待批准"},
	/* clocks and urgency */
	{"accept", "签收"}, {"contact", "先行联系"}, {"resolve", "办结"}, {"feedback", "反馈"},
	{"normal", "一般"}, {"urgent", "紧急"}, {"critical", "特急"},
	{"due", "限"}, {"open", "未完成"}, {"late", "逾期"}, {"Clocks", "时限"},
	{" (provisional: a year has no calendar yet)", "（暂定：有一年的日历还没有导入）"},
	{"provisional: a year has no calendar yet", "暂定：有一年的日历还没有导入"},
	/* labels */
	{"case", "工单"}, {"department", "承办"}, {"reason", "原因"}, {"lead", "主办"}, {"supports", "协办"},
	{"copies", "抄送"}, {"leg", "办理次数"}, {"escalated to level", "升级级别"}, {"category", "分类"},
	{"urgency", "紧急程度"}, {"place", "地点"}, {"routed by", "派单依据"}, {"rule", "规则"},
	{"fallback", "兜底"}, {"policy", "时限类别"}, {"joined into", "并入"}, {"History", "经过"},
	{"normalised", "归一化文本"}, {"why", "依据"}, {"nearly", "差一点"}, {"does not match", "不符"}, {"more", "更多"},
	{"decided then", "当时"}, {"configuration", "配置"}, {"in full", "规范写法"},
	{"id", "编号"}, {"at", "时间"}, {"channel", "渠道"}, {"topic", "主题"}, {"code", "代码"}, {"size", "字节"},
	{"retried", "已重试"},
	/* the walk of a deadline */
	{"calendar day", "自然日"}, {"day off", "放假"}, {"rest day", "休息日"}, {"working day", "工作日"},
	{"make-up working day", "补班"}, {"day of receipt, not counted", "收件当日，不计"},
	{"day of the limit", "截止当日"}, {"working day, not counted", "工作日，不计"},
	{"moved here off a rest day", "遇休移到这天"},
	{"Mon", "周一"}, {"Tue", "周二"}, {"Wed", "周三"}, {"Thu", "周四"}, {"Fri", "周五"}, {"Sat", "周六"},
	{"Sun", "周日"},
	/* status */
	{"active", "当班"}, {"standing by", "备用"}, {"broker", "消息总线"}, {"database", "数据库"},
	{"inbox", "收件日志"}, {"outbox", "待发"}, {"open cases", "在办"}, {"clock", "时钟"},
	{"last reload", "上次载入"}, {"connected", "已连接"}, {"not connected", "未连接"}, {"not ok", "失败"}, {"yes", "是"}, {"no", "否"},
	{"ok", "成功"}, {"config", "配置"}, {"findings", "问题"}, {"records", "消息"}, {"bytes", "字节"},
	{"now", "现在"}, {"simulated", "模拟"}, {"not simulated", "真实"}, {"speed", "倍速"},
	/* sentences */
	{"now at work:", "已生效："}, {"refused; still at work:", "拒绝载入，仍在使用："},
	{"The daemon takes no more messages, finishes what it has and stops.", "守护进程不再收件，办完手上的就停。"},
	{"There are no dead letters.", "没有死信。"}, {"published again on", "已重新发布到"},
	{"applied", "已执行"}, {"the database has schema", "数据库结构版本"},
	{"this program works with", "本程序需要"},
};

enum lang words_lang(const char *flag)
{
	static const char *const variables[] = {"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"};
	const char *text = flag;

	for (size_t i = 0; i < ARRAY_LEN(variables) && (!text || !*text); i++)
		text = getenv(variables[i]);
	return text && strncmp(text, "zh", 2) == 0 ? LANG_ZH : LANG_EN;
}

const char *words(enum lang lang, const char *english)
{
	for (size_t i = 0; lang == LANG_ZH && english && i < ARRAY_LEN(catalogue); i++)
		if (strcmp(catalogue[i].english, english) == 0)
			return catalogue[i].chinese;
	return english ? english : "-";
}

bool words_at(size_t i, const char **ret_english, const char **ret_chinese)
{
	if (i >= ARRAY_LEN(catalogue))
		return false;
	*ret_english = catalogue[i].english;
	*ret_chinese = catalogue[i].chinese;
	return true;
}
