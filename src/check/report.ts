// Findings in the forms that people, editors and CI systems read.
import type { Paint } from '../color.ts';
import { pointerPath } from '../log.ts';
import type { Checked, Finding, Rule } from './bundle.ts';

const rules: Readonly<Record<Rule, string>> = {
  json: 'config.json is JSON in UTF-8',
  schema: 'config.json fits the schema of runtime-spec 1.3',
  semantic: 'The fields of config.json fit each other',
  'unknown-key': 'Every key is one of the runtime-spec',
  rootfs: 'root.path is a directory',
  host: 'This host can give what config.json asks for',
};

/** `expected: got found`, as create says it. */
const sentence = ({ expected, found }: Finding): string => `${expected}: got ${found}`;

/** `file:line:column: severity: place: what [rule]`: the form of compilers, which editors jump from. */
export function textReport({ file, findings }: Checked, paint: Paint): string {
  const here = `${process.cwd()}/`;
  const name = file.startsWith(here) ? file.slice(here.length) : file;
  const lines = findings.map((finding) => {
    const where = pointerPath(finding.pointer);
    const severity = paint(finding.severity === 'error' ? 'red' : 'yellow', finding.severity);
    const hint = finding.hint === undefined ? '' : `\n    try: ${finding.hint}`;
    return `${paint('bold', `${name}:${finding.line}:${finding.column}:`)} ${severity}: ${where === '' ? '' : `${where}: `}${sentence(finding)} ${paint('dim', `[${finding.rule}]`)}${hint}\n`;
  });
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  return `${lines.join('')}${name}: ${findings.length === 0 ? paint('green', 'nothing wrong') : `${count(errors, 'error')}, ${count(findings.length - errors, 'warning')}`}\n`;
}

/** One object: whether create would take it, and every finding. */
export function jsonReport({ file, findings }: Checked): string {
  const issues = findings.map(({ rule, severity, pointer, line, column, found, expected, hint }) => ({ rule, severity, pointer, file, line, column, found, expected, hint }));
  return `${JSON.stringify({ file, valid: findings.every(({ severity }) => severity !== 'error'), issues }, null, 2)}\n`;
}

/** SARIF 2.1.0 (OASIS), which code hosts and editors take in. */
export function sarifReport({ file, findings }: Checked, version: string): string {
  const names = Object.keys(rules) as Rule[];
  const results = findings.map((finding) => ({
    ruleId: finding.rule,
    ruleIndex: names.indexOf(finding.rule),
    level: finding.severity,
    message: { text: `${pointerPath(finding.pointer) || 'config.json'}: ${sentence(finding)}${finding.hint === undefined ? '' : ` (try: ${finding.hint})`}` },
    locations: [{
      physicalLocation: { artifactLocation: { uri: `file://${file.split('/').map(encodeURIComponent).join('/')}` }, region: { startLine: finding.line, startColumn: finding.column } },
      ...(finding.pointer === '' ? {} : { logicalLocations: [{ fullyQualifiedName: finding.pointer, kind: /\/\d+$/.test(finding.pointer) ? 'value' : 'property' }] }),
    }],
  }));
  const driver = { name: 'runt validate', version, rules: names.map((id) => ({ id, shortDescription: { text: rules[id] } })) };
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results }] }, null, 2)}\n`;
}
