#!/bin/sh
# capture.sh [NAME...]: makes these of this directory's bundles anew, or all: runs capture.ts in the virtual machine, writes what
# it printed, and prints the rows of README.md.
set -eu
cd "$(dirname "$0")/../.."
out=$(mktemp)
trap 'rm -f "$out" conformance/bundles/.only' EXIT
[ $# -eq 0 ] || echo "$@" >conformance/bundles/.only
RUNT_VM_FILE_LIMIT=1400 conformance/vm/test.sh conformance/bundles/capture.ts | tee "$out" | cut -c-200 >&2
node -e '
	const { mkdirSync, readFileSync, writeFileSync } = require("node:fs");
	for (const [, name, data] of readFileSync(process.argv[1], "utf8").matchAll(/^# captured (\S+) (\S+)$/gm)) {
		const { command, words, config } = JSON.parse(Buffer.from(data, "base64"));
		mkdirSync(`conformance/bundles/${name}`, { recursive: true });
		writeFileSync(`conformance/bundles/${name}/config.json`, config);
		console.log(`| ${name} | ${"`"}${command}${"`"} | ${words === "" ? "" : "`" + words + "`"} |`);
	}' "$out"
