# Files up to 600 lines, functions up to 60. `waivers` names exceptions, one a line:
#   daemon/part/file.c[:function] lines reason
# A waiver must fit exactly, so that it can only shrink.
BEGIN {
	while ((getline line < waivers) > 0)
		if (line !~ /^#/ && split(line, field, " ") >= 3)
			waived[field[1]] = field[2]
}
function measure(name, lines, limit) {
	if (name in waived) {
		if (lines != waived[name])
			wrong(name " has " lines " lines, its waiver says " waived[name])
		used[name] = 1
	} else if (lines > limit) {
		wrong(name " has " lines " lines; at most " limit)
	}
}
function wrong(why) {
	print why
	bad = 1
}
function finish() {
	if (file)
		measure(file, count, 600)
}
FNR == 1 {
	finish()
	file = FILENAME
	begin = 0
}
{ count = FNR }
/^[a-z].*\(/ && !/;[ \t]*$/ {
	name = $0
	sub(/\(.*/, "", name)
	sub(/.*[ *]/, "", name)
}
/^\{/ { begin = FNR }
/^\}/ && begin {
	measure(file ":" name, FNR - begin + 1, 60)
	begin = 0
}
END {
	finish()
	for (name in waived)
		if (!(name in used))
			wrong("waiver without use: " name)
	exit bad
}
