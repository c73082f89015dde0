// `runt man`: manual pages (man-pages(7), man(7) macros), made from the same tables as help.
import { RuntimeError } from '../errors.ts';
import type { Command, Flag } from './command.ts';
import { globalFlags } from './help.ts';
import { table } from './table.ts';
import { VERSION } from './version.ts';

export const command: Command = {
  name: 'man', summary: 'print the manual page of runt or of a command (roff)', words: '[COMMAND]', least: 0, most: 1, flags: [],
  examples: ['runt man | man -l -', 'runt man create | man -l -', 'runt man > /usr/local/share/man/man8/runt.8'],
  run: async (call) => {
    const name = call.words[0];
    if (name !== undefined && table[name] === undefined) throw new RuntimeError(`no such command: ${name}`, { hint: 'runt --help lists the commands' });
    call.stdout(name === undefined ? await mainPage() : commandPage((await table[name]!.load()).command));
    return 0;
  },
};

/** Text as roff takes it: a backslash, a dash, and a dot or quote that begins a line. */
const roff = (text: string): string => text.replace(/\\/g, '\\e').replace(/-/g, '\\-').replaceAll('’', '\\(cq').replaceAll('…', '...').replace(/^([.'])/gm, '\\&$1');

const head = (name: string, summary: string): string => `.TH ${name.toUpperCase().replace(/-/g, '\\-')} 8 "" "runt ${VERSION}" "System Administration"\n.SH NAME\n${roff(name)} \\- ${roff(summary)}\n`;

const flagEntries = (flags: readonly Flag[]): string => flags.filter(({ hidden }) => hidden !== true).map((flag) => {
  const value = flag.value === undefined ? '' : ` \\fI${roff(flag.value)}\\fR`;
  return `.TP\n${flag.short === undefined ? '' : `\\fB\\-${flag.short}\\fR, `}\\fB\\-\\-${roff(flag.name)}\\fR${value}\n${roff(flag.help)}${flag.many === true ? '; may be given several times' : ''}\n`;
}).join('');

const exampleLines = (examples: readonly string[]): string => `.SH EXAMPLES\n.nf\n${examples.map((one) => `${roff(one)}\n`).join('')}.fi\n`;

async function mainPage(): Promise<string> {
  const verbs = Object.entries(table).map(([name, { summary }]) => `.TP\n\\fB${roff(name)}\\fR\n${roff(summary)}\n`).join('');
  return `${head('runt', 'OCI container runtime')}.SH SYNOPSIS
\\fBrunt\\fR [\\fIflags\\fR] \\fIcommand\\fR [\\fIflags\\fR] [\\fIwords\\fR]
.SH DESCRIPTION
runt runs containers from OCI bundles. A bundle compiles to a program of system calls, and the program runs:
\\fBrunt explain\\fR prints it, \\fBrunt trace\\fR shows what each step returned and how long it took.
Flags before the command are for every command; those behind it are its own. One dash or two make no difference.
.SH OPTIONS
${flagEntries(globalFlags)}.SH COMMANDS
${verbs}.SH FILES
.TP
\\fI/run/runt/ID\\fR
the state of a container: state.json, its config.json, and its program with the results of each step
.TP
\\fI/run/runt/.failed\\fR
the programs of the last containers that could not be made, for \\fBrunt trace \\-\\-last\\fR
.SH ENVIRONMENT
.TP
\\fBNO_COLOR\\fR
no colour, on a terminal either
.TP
\\fBXDG_RUNTIME_DIR\\fR
where an ordinary user's state is
.SH SEE ALSO
${Object.keys(table).map((name) => `.BR runt\\-${roff(name)} (8)`).join(',\n')}
`;
}

function commandPage(one: Command): string {
  const words = one.words === '' ? '' : ` \\fI${roff(one.words)}\\fR`;
  const notes = one.notes === undefined ? '' : `.SH NOTES\n${roff(one.notes)}\n`;
  const flags: readonly Flag[] = [...one.flags, { name: 'help', short: 'h', help: 'show help' }];
  return `${head(`runt-${one.name}`, one.summary)}.SH SYNOPSIS\n\\fBrunt ${roff(one.name)}\\fR [\\fIflags\\fR]${words}\n.SH OPTIONS\n${flagEntries(flags)}${notes}${exampleLines(one.examples)}.SH SEE ALSO\n.BR runt (8)\n`;
}
