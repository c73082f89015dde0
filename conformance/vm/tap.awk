# Joins what the guest's test files printed into one TAP stream: numbered through, a plan at the end, a line of sums.
# A file that ends badly, or a machine that ends early, is a failed test even where no line says so.
# \001again: the guest's kernel died and it was booted again; what its file had already said is not said twice.
function result(good, text) {
	total++
	if (text ~ /# *[Ss][Kk][Ii][Pp]/) skipped++
	else if (good) passed++
	else { failed++; bad = 1 }
	print (good ? "ok " : "not ok ") total " - " text
	fflush()
}
/^\001file / { file = substr($0, 7); seen = 0; split("", repeated); bad = 0; plan = -1; files++; print "# " file; fflush(); next }
/^\001exit / {
	status = substr($0, 7) + 0
	name = file; file = ""; split("", said)
	if (status == 124 || status == 137) result(0, name ": ran into its time limit")
	else if (status != 0 && !bad) result(0, name ": exit status " status)
	else if (plan >= 0 && plan != seen) result(0, name ": " plan " tests were planned, " seen " ran")
	else if (seen == 0) result(1, name)
	next
}
/^\001twice/ { result(0, file ": the guest's kernel died twice during this file"); file = ""; split("", said); next }
/^\001again / {
	print "# the guest's kernel died" (file == "" ? "" : " during " file) "; booted again (console: " substr($0, 8) ")"
	fflush()
	if (file != "") files--
	file = ""
	next
}
/^\001end/ { ended = 1; next }
/^(not )?ok($| )/ {
	seen++
	good = ($1 == "ok")
	text = $0
	sub(/^(not )?ok */, "", text); sub(/^[0-9]+ */, "", text); sub(/^- */, "", text)
	name = text
	sub(/ # .*/, "", name)
	if (++repeated[name] <= said[name] && (good || !saidgood[name])) { if (!good) bad = 1; next }
	said[name]++; saidgood[name] = good
	result(good, text)
	next
}
/^1\.\.[0-9]+/ { plan = substr($0, 4) + 0; next }
/^$/ { next }
/^(TAP version|#)/ { if ($0 !~ /^TAP/) { print; fflush() } next }
{ print "# " $0; fflush() }
END {
	if (!ended) result(0, file == "" ? "the virtual machine ended before its tests did" : file ": the virtual machine ended during this file")
	else if (files != expected) result(0, "of " expected " test files " files " ran")
	print "1.." total
	print "# " passed + 0 " passed, " failed + 0 " failed, " skipped + 0 " skipped"
	exit failed > 0
}
