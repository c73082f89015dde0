#!/bin/sh
# table.sh LOG...: the rows that runs of these files printed, as the tables of docs/managers.md. A later row of an operation replaces
# an earlier one of the same place; what was seen in both places is one row.
sed -n 's/^# row: //p' "$@" | awk -F ' [|] ' '
	{
		sub(/ [|]$/, "", $4)
		key = $2 " | " $3
		if (!(key in name)) { name[key] = $3; if (!($2 in first)) { first[$2] = 1; manager[++managers] = $2 } order[$2] = order[$2] key "\n" }
		seen[key, $1] = 1
		if ($4 == "differs") { verdict[key] = "differs"; why[key] = $5 }
		else if (verdict[key] != "differs") { verdict[key] = "works"; if ($5 != "") why[key] = $5 }
	}
	END {
		for (m = 1; m <= managers; m++) {
			print "\n## " manager[m] "\n\n| operation | with runt | where | why |\n|---|---|---|---|"
			n = split(order[manager[m]], keys, "\n")
			for (i = 1; i < n; i++) {
				k = keys[i]; count[verdict[k]]++
				place = ((k, "machine") in seen ? "machine" : "") ((k, "machine") in seen && (k, "host") in seen ? ", " : "") ((k, "host") in seen ? "host" : "")
				gsub(/[|]/, "\\|", name[k])
				print "| " name[k] " | " verdict[k] " | " place " | " why[k] " |"
			}
		}
		print "\n" count["works"] + count["differs"] " operations: " count["works"] + 0 " the same, " count["differs"] + 0 " differ for the reasons given."
	}'
