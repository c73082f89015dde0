# Joins what the test files printed into one TAP stream: numbered through, a plan at the end, a line of sums. A line begins with the number
# of its machine; with several (machines > 1) what a file says is printed when it has ended, or two files would be mixed.
# A file that ends badly, or a machine that ends early, is a failed test even where no line says so.
# \001again: the guest's kernel died and it was booted again; what its file had already said is not said twice.
function print_result(good, text) {
	total++
	if (text ~ /# *[Ss][Kk][Ii][Pp]/) skipped++
	else if (good) passed++
	else failed++
	print (good ? "ok " : "not ok ") total " - " text
}
function print_line(line) {
	if (line ~ /^ok /) print_result(1, substr(line, 4))
	else if (line ~ /^no /) print_result(0, substr(line, 4))
	else print line
	fflush()
}
function emit(line) {
	if (machines < 2) print_line(line)
	else held[m, count[m]++] = line
}
function result(good, text) {
	if (!good) bad[m] = 1
	emit((good ? "ok " : "no ") text)
}
function flush(  i) {
	for (i = 0; i < count[m]; i++) print_line(held[m, i])
	count[m] = 0
}
function close_file(  key) {
	for (key in said) if (index(key, m SUBSEP) == 1) delete said[key]
	file[m] = ""
	flush()
}
{ m = $1 + 0; sub(/^[0-9]+ ?/, "") }
/^\001file / {
	file[m] = substr($0, 7); seen[m] = 0; bad[m] = 0; plan[m] = -1; files++; rounds[m]++
	emit("# " file[m])
	next
}
/^\001exit / {
	status = substr($0, 7) + 0
	if (status == 124 || status == 137) result(0, file[m] ": ran into its time limit")
	else if (status != 0 && !bad[m]) result(0, file[m] ": exit status " status)
	else if (plan[m] >= 0 && plan[m] != seen[m]) result(0, file[m] ": " plan[m] " tests were planned, " seen[m] " ran")
	else if (seen[m] == 0) result(1, file[m])
	if ($3 != "") emit("# " $3 " s: " file[m])
	close_file()
	next
}
/^\001twice/ { result(0, file[m] ": the guest's kernel died twice during this file"); close_file(); next }
/^\001again / {
	emit("# the guest's kernel died" (file[m] == "" ? "" : " during " file[m]) "; booted again (console: " substr($0, 8) ")")
	if (file[m] == "") flush()
	else files--
	file[m] = ""
	next
}
/^\001end/ { ended[m] = 1; next }
/^(not )?ok($| )/ {
	seen[m]++
	good = ($1 == "ok")
	text = $0
	sub(/^(not )?ok */, "", text); sub(/^[0-9]+ */, "", text); sub(/^- */, "", text)
	name = text
	sub(/ # .*/, "", name)
	if (++repeated[m, rounds[m], name] <= said[m, name] && (good || !wasgood[m, name])) {
		if (!good) bad[m] = 1
		next
	}
	said[m, name]++; wasgood[m, name] = good
	result(good, text)
	next
}
/^1\.\.[0-9]+/ { plan[m] = substr($0, 4) + 0; next }
/^$/ || /^TAP version/ { next }
/^#/ { emit($0); next }
{ emit("# " $0) }
END {
	for (m = 1; m <= machines; m++) {
		if (!ended[m]) result(0, file[m] == "" ? "the virtual machine ended before its tests did" : file[m] ": the virtual machine ended during this file")
		flush()
		complete += ended[m]
	}
	if (complete == machines && files != expected) print_result(0, "of " expected " test files " files " ran")
	print "1.." total
	print "# " passed + 0 " passed, " failed + 0 " failed, " skipped + 0 " skipped"
	exit failed > 0
}
