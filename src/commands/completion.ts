// `runt completion`: scripts for shells, made from the same tables as help.
import { RuntimeError } from '../errors.ts';
import type { Command, Flag } from './command.ts';
import { globalFlags } from './help.ts';
import { table } from './table.ts';

export const command: Command = {
  name: 'completion', summary: 'print a completion script for bash, zsh or fish', words: 'bash|zsh|fish', least: 1, most: 1, flags: [],
  examples: ['source <(runt completion bash)', 'runt completion zsh > "${fpath[1]}/_runt"', 'runt completion fish > ~/.config/fish/completions/runt.fish'],
  run: async (call) => {
    const shell = call.words[0]!;
    const script = { bash, zsh, fish }[shell];
    if (script === undefined) throw new RuntimeError(`no completion for ${shell}`, { hint: 'bash, zsh or fish' });
    call.stdout(script(await commands()));
    return 0;
  },
};

async function commands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(table).map(async ({ load }) => (await load()).command));
}

const shown = (flags: readonly Flag[]): readonly Flag[] => [...flags.filter(({ hidden }) => hidden !== true), { name: 'help', help: 'show help' }];
const unique = (words: readonly string[]): string => [...new Set(words)].join(' ');
const long = (flags: readonly Flag[]): string => unique(shown(flags).map(({ name }) => `--${name}`));
const takesId = ({ words }: Command): boolean => /CONTAINER/.test(words);
const choices = ({ value }: Flag): readonly string[] => (value !== undefined && value.includes('|') && /^[a-z|]+$/.test(value) ? value.split('|') : []);
const isPath = ({ value }: Flag): boolean => value === 'DIR' || value === 'FILE' || value === 'PATH';

function bash(all: readonly Command[]): string {
  const flags = all.map((one) => `    ${one.name}) flags="${long(one.flags)}"; ids=${takesId(one) ? 1 : ''} ;;\n`).join('');
  const everyFlag = [...globalFlags, ...all.flatMap((one) => one.flags)];
  const valueCase = (verb: string, flag: Flag): string => (choices(flag).length === 0 ? '' : `    "${verb} --${flag.name}") COMPREPLY=($(compgen -W "${choices(flag).join(' ')}" -- "$cur")); return ;;\n`);
  const valueCases = [...globalFlags.map((flag) => valueCase('', flag)), ...all.flatMap((one) => one.flags.map((flag) => valueCase(one.name, flag)))].join('');
  const paths = unique(everyFlag.filter(isPath).map(({ name }) => `--${name}`)).split(' ').join('|');
  const valued = unique(globalFlags.filter(({ value }) => value !== undefined).map(({ name }) => `--${name}`)).split(' ').join('|');
  return `# bash completion of runt: source <(runt completion bash)
_runt() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb= root= flags= ids= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
    --root) root=\${COMP_WORDS[i+1]}; ((i++)) ;;
    ${valued}) ((i++)) ;;
    -*) ;;
    *) verb=\${COMP_WORDS[i]}; break ;;
    esac
  done
  case "$verb $prev" in
${valueCases}  esac
  case $prev in
    ${paths}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case $verb in
    "") COMPREPLY=($(compgen -W "${all.map(({ name }) => name).join(' ')} ${long(globalFlags)}" -- "$cur")); return ;;
${flags}  esac
  if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [[ -n $ids ]]; then COMPREPLY=($(compgen -W "$(runt \${root:+--root "$root"} list -q 2>/dev/null)" -- "$cur"))
  else COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -o filenames -F _runt runt
`;
}

const quoted = (text: string): string => text.replace(/'/g, `'\\''`);
const zshText = (text: string): string => quoted(text).replace(/([[\]:])/g, '\\$1');

function zsh(all: readonly Command[]): string {
  const spec = (flag: Flag): string => {
    const action = choices(flag).length > 0 ? `:${flag.name}:(${choices(flag).join(' ')})` : flag.value === undefined ? '' : `:${zshText(flag.value)}:${isPath(flag) ? '_files' : ''}`;
    return `'${flag.many === true ? '*' : ''}--${flag.name}[${zshText(flag.help)}]${action}'`;
  };
  const cases = all.map((one) => `    ${one.name}) _arguments ${shown(one.flags).map(spec).join(' ')} '*:word:${takesId(one) ? '_runt_containers' : '_files'}' ;;\n`).join('');
  return `#compdef runt
# zsh completion of runt: runt completion zsh > "\${fpath[1]}/_runt"
_runt_containers() { compadd -- $(runt list -q 2>/dev/null) }
_runt() {
  local state line
  _arguments -C ${shown(globalFlags).map(spec).join(' ')} '1:command:->command' '*::word:->word'
  case $state in
  command) local -a verbs; verbs=(${all.map((one) => `'${one.name}:${zshText(one.summary)}'`).join(' ')}); _describe command verbs ;;
  word) case $line[1] in
${cases}  esac ;;
  esac
}
if [ "$funcstack[1]" = _runt ]; then _runt "$@"; else compdef _runt runt; fi
`;
}

function fish(all: readonly Command[]): string {
  const names = all.map(({ name }) => name).join(' ');
  const flagLine = (flag: Flag, condition: string): string => {
    const words = choices(flag).length > 0 ? ` -x -a '${choices(flag).join(' ')}'` : flag.value === undefined ? '' : isPath(flag) ? ' -r -F' : ' -x';
    return `complete -c runt -n '${condition}' -l ${flag.name}${flag.short === undefined ? '' : ` -s ${flag.short}`}${words} -d '${quoted(flag.help)}'\n`;
  };
  const none = `not __fish_seen_subcommand_from ${names}`;
  const lines = all.map((one) => {
    const seen = `__fish_seen_subcommand_from ${one.name}`;
    return `complete -c runt -n '${none}' -f -a ${one.name} -d '${quoted(one.summary)}'\n${shown(one.flags).map((flag) => flagLine(flag, seen)).join('')}${takesId(one) ? `complete -c runt -n '${seen}' -f -a '(runt list -q 2>/dev/null)'\n` : ''}`;
  });
  return `# fish completion of runt: runt completion fish > ~/.config/fish/completions/runt.fish\n${shown(globalFlags).map((flag) => flagLine(flag, none)).join('')}${lines.join('')}`;
}
