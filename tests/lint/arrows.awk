# Which part may include which (docs/architecture.md), and who may see a library: one file or folder
# each, so that a library can be replaced there.
BEGIN {
	allow["base"] = ""
	allow["core"] = "base"
	allow["settings"] = "core base"
	allow["store"] = "core base"
	allow["link"] = "base"
	allow["health"] = "base"
	allow["plugin"] = "core settings base"
	allow["dispatch"] = "link core settings store base"
	allow["intake"] = "link core settings store base plugin"
	allow["trial"] = "core settings base"
	allow["ctl"] = "base core settings store link health plugin trial table"
	allow["needled"] = "base core settings store link health intake dispatch plugin trial"
	allow["table"] = "core base"
	allow["bridge"] = "link core settings health base"
	allow["program"] = "bridge table link core settings health base"

	fence["yaml.h"] = "^daemon/settings/yaml\\.c$"
	fence["libpq-fe.h"] = "^daemon/store/pg\\.c$"
	fence["MQTTAsync.h"] = "^daemon/link/"
	fence["dlfcn.h"] = "^daemon/plugin/"
	fence["microhttpd.h"] = "^daemon/(health|bridge)/"
	fence["curl/curl.h"] = "^daemon/bridge/"
	fence["zip.h"] = "^daemon/table/"
	fence["expat.h"] = "^(daemon/table|plugins)/"
	fence["xlsxwriter.h"] = "^daemon/intake/sheet\\.c$"
	fence["pcre2.h"] = "^daemon/core/"
	fence["utf8proc.h"] = "^daemon/(base|core|settings|ctl)/"
	# The core is a function of its arguments: no I/O, no clock, no thread, no log.
	n = split("unistd.h fcntl.h pthread.h dlfcn.h sys/socket.h sys/stat.h sys/epoll.h signal.h threads.h", names, " ")
	for (i = 1; i <= n; i++)
		impure[names[i]] = 1
	n = split("base/clock.h base/log.h base/loop.h base/fault.h base/mailbox.h base/pulse.h base/counter.h", names, " ")
	for (i = 1; i <= n; i++)
		impure[names[i]] = 1
}
function wrong(why) {
	print FILENAME ":" FNR ": " why
	bad = 1
}
FNR == 1 {
	split(FILENAME, level, "/")
	# What lies in daemon/ itself is the program that wires the parts together.
	part = FILENAME ~ /^daemon\/[^\/]*$/ ? "needled" : level[1] == "daemon" ? level[2] : level[1] == "plugins" ? "decoder" : "tests"
	if (part == "decoder" && FILENAME !~ /decoder\.c$|needle_plugin\.h$/)
		part = "program"
	if (part != "decoder" && part != "tests" && !(part in allow))
		wrong("no such part: " part)
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	file = quoted[2]
	split(file, at, "/")
	to = file ~ /\// ? at[1] : part
	if (part == "tests")
		next
	if (file == "needle_plugin.h") {
		if (part !~ /^(decoder|plugin|settings|ctl|program)$/)
			wrong(part " must not know plugins")
	} else if (part == "decoder") {
		wrong("a decoder includes needle_plugin.h and nothing else of ours, not " file)
	} else if (file !~ /\// && part == "program") {
		next
	} else if (to != part && index(" " allow[part] " ", " " to " ") == 0) {
		wrong(part " must not include " file)
	}
	if (part == "core" && (file in impure))
		wrong("the core is pure: no " file)
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	file = $0
	gsub(/^[^<]*<|>.*$/, "", file)
	if ((file in fence) && part != "tests" && FILENAME !~ fence[file])
		wrong("<" file "> belongs to " fence[file])
	if (part == "core" && (file in impure))
		wrong("the core is pure: no <" file ">")
}
END { exit bad }
