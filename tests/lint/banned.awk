# Calls and habits that are not ours; base/banned.h poisons what no system header needs.
BEGIN {
	n = split("system popen strcpy strcat sprintf vsprintf strncpy strncat gets atoi atol atoll atof strtok alloca " \
		  "longjmp setjmp tmpnam mktemp localtime gmtime ctime asctime mktime rand srand", words, " ")
	for (i = 1; i <= n; i++)
		calls = calls (i > 1 ? "|" : "") words[i]
	calls = "(^|[^_[:alnum:]>.])(" calls ")[ \t]*\\("
}
{
	text = code($0)
	if (FILENAME ~ /banned\.h$/)
		next
	if (text ~ calls || text ~ /(^|[ \t;{])goto[ \t]+[a-z_]+;/) {
		print FILENAME ":" FNR ": " $0
		bad = 1
	}
	if ($0 ~ /(TODO|FIXME)/) {
		print FILENAME ":" FNR ": unfinished: " $0
		bad = 1
	}
}
END { exit bad }
