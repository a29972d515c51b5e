# code(line): the line without comments and without what stands inside of quotes. Keeps track over
# lines; call it once for every line, in order.
function code(line,    out, i, c, two) {
	if (FNR == 1)
		in_comment = 0
	out = ""
	for (i = 1; i <= length(line); i++) {
		two = substr(line, i, 2)
		c = substr(line, i, 1)
		if (in_comment) {
			if (two == "*/") {
				in_comment = 0
				i++
			}
		} else if (two == "/*") {
			in_comment = 1
			i++
		} else if (two == "//") {
			break
		} else if (c == "\"" || c == "'") {
			out = out c
			for (i++; i <= length(line) && substr(line, i, 1) != c; i++)
				if (substr(line, i, 1) == "\\")
					i++
			out = out c
		} else {
			out = out c
		}
	}
	return out
}
