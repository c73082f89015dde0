// Compiles the schema into a validator that needs no ajv at run time: spec/validator.generated.js. Run by `npm run build`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type CodeKeywordDefinition } from 'ajv';
import { _, type Code, type Name } from 'ajv/dist/compile/codegen/index.js';
import standalone from 'ajv/dist/standalone/index.js';
import { schema } from './schema/config.ts';

const wideInteger: CodeKeywordDefinition = {
  keyword: 'wideInteger',
  code(context) {
    context.fail(codeFor(context.data));
  },
};

function codeFor(data: Name): Code {
  return _`!(typeof ${data} === "bigint" || (typeof ${data} === "number" && Number.isInteger(${data})))`;
}

type Schema = Readonly<Record<string, unknown>>;

/**
 * Every object and every list of a schema as a definition of its own, which ajv makes a function of: an engine prepares a function whole
 * when it is first called, and of this schema a config.json uses a tenth. As one function it cost 0.2 ms more of every create.
 */
function outlined(root: Schema): Schema {
  const definitions: Record<string, Schema> = {};
  const names = new Map<string, string>();
  const inner = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(inner);
    if (typeof value !== 'object' || value === null) return value;
    const { type } = value as Schema;
    const own = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inner(one)]));
    if (type !== 'object' && type !== 'array') return own;
    const text = JSON.stringify(own);
    const name = names.get(text) ?? `d${names.size}`;
    names.set(text, name);
    definitions[name] = own;
    return { $ref: `#/$defs/${name}` };
  };
  const properties = inner(root['properties']);
  return { ...root, properties, $defs: definitions };
}

const ajv = new Ajv({ allErrors: true, strict: false, inlineRefs: false, messages: false, code: { source: true, esm: true } });
ajv.addKeyword(wideInteger);
const make = (standalone as unknown as { default: typeof standalone }).default ?? standalone;
const code = withoutCalls(brief(late((make as unknown as (instance: Ajv, validate: unknown) => string)(ajv, ajv.compile(outlined(schema))))));
if (/require\(|from "ajv/.test(code)) throw new Error('the generated validator would need ajv at run time');
/** Patterns that need no regular expression: their first use costs more than all else that validation does. */
function plainTest(pattern: string): string | undefined {
  if (pattern === '^[^\\u0000]*$') return '!text.includes("\\0")';
  if (pattern === '^[^\\u0000]+$') return 'text !== "" && !text.includes("\\0")';
  const [, start, words] = /^\^(\w+)\(([A-Z|]+)\)\$$/.exec(pattern) ?? [];
  if (words !== undefined) return `${JSON.stringify(words.split('|').map((word) => `${start}${word}`))}.indexOf(text) >= 0`;
  return pattern === '^/[^\\u0000]*$' ? 'text.startsWith("/") && !text.includes("\\0")' : undefined;
}

/** A function's call costs as much as the look into the text. */
function withoutCalls(source: string): string {
  const tests = new Map([...source.matchAll(/const (pattern\d+) = \{ test: \(text\) => (!text\.includes\("\\0"\)) \};/g)].map(([, name, test]) => [name!, test!]));
  return source.replace(/\b(pattern\d+)\.test\((\w+)\)/g, (all, name: string, text: string) => tests.get(name)?.replaceAll('text', text) ?? all);
}

/** What only an error needs, the parts of the schema itself, and regular expressions are made when they are first used: loading is start-up time. */
function late(source: string): string {
  return source.replace(/\b(schema\d+)\b(?! =)/g, '$1()').replace(/const (schema\d+) = (\{.*?\});(?=const |let |function )/g, (_all, name: string, literal: string) => (source.includes(`${name}.`) ? `let ${name}Made; const ${name} = () => (${name}Made ??= ${literal});` : ''))
    .replace(/const (pattern\d+) = (new RegExp\(("(?:[^"\\]|\\.)*"), "u"\));/g, (_all, pattern: string, expression: string, text: string) => {
      const test = plainTest(JSON.parse(text) as string);
      return test === undefined ? `let ${pattern}Made; const ${pattern} = { test: (text) => (${pattern}Made ??= ${expression}).test(text) };` : `const ${pattern} = { test: (text) => ${test} };`;
    });
}

/** Errors made in one place, and of what ajv passes on only what is read: a function is prepared with all its branches, taken or not. */
function brief(source: string): string {
  const short = source.replace(/const (err\d+) = \{instancePath(?::(.*?))?,schemaPath:"[^"]*",keyword:("\w+"),params:(\{.*?\})\};if\(vErrors === null\)\{vErrors = \[\1\];\}else \{vErrors\.push\(\1\);\}errors\+\+;/g,
    (_all, _name, path: string | undefined, keyword: string, params: string) => `vErrors = fail(vErrors, ${path ?? 'instancePath'}, ${keyword}, ${params});errors++;`)
    .replace(/\{instancePath:((?:[^,{}]|\.replace\(.*?\))*),parentData:\w+,parentDataProperty:[^,]*,rootData\}/g, '$1')
    .replaceAll('{instancePath="", parentData, parentDataProperty, rootData=data}={}', 'instancePath = ""');
  const left = /schemaPath|parentData|const err\d+/.exec(short);
  if (left !== null) throw new Error(`ajv writes something else now: ${short.slice(left.index - 100, left.index + 200)}`);
  return `${short}\nfunction fail(errors, instancePath, keyword, params) {\n  const error = { instancePath, keyword, params };\n  if (errors === null) return [error];\n  errors.push(error);\n  return errors;\n}\n`;
}

writeFileSync(join(import.meta.dirname, 'validator.generated.js'), `// Generated by build-validator.ts\n${code}`);
writeFileSync(join(import.meta.dirname, 'validator.generated.d.ts'), `export interface SchemaError { readonly instancePath: string; readonly keyword: string; readonly params: Readonly<Record<string, unknown>> }
export declare function validate(document: unknown): boolean;
export declare namespace validate { let errors: SchemaError[] | null; }
`);
