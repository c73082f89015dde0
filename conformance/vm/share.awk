# share.awk DURATIONS -: deals the files of standard input, a line each, to `machines`: the longest first, each to the machine that has least
# to do so far. Prints a line of their numbers for each machine, with commas, in the order of the files. DURATIONS: "seconds file" lines.
FNR == NR { if ($1 ~ /^[0-9]+$/) seconds[$2] = $1; next }
{ name[++files] = $0; cost[files] = ($0 in seconds) ? seconds[$0] : 60 }
END {
	for (round = 1; round <= files; round++) {
		longest = 0
		for (i = 1; i <= files; i++) if (!(i in owner) && (!longest || cost[i] > cost[longest])) longest = i
		least = 1
		for (m = 2; m <= machines; m++) if (load[m] < load[least]) least = m
		owner[longest] = least
		load[least] += cost[longest]
	}
	for (m = 1; m <= machines; m++) {
		line = ""
		for (i = 1; i <= files; i++) if (owner[i] == m) line = line (line == "" ? "" : ",") i
		print line
	}
}
