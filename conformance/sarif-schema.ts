// What SARIF 2.1.0 (OASIS, sarif-v2.1.0-os) asks of the part of it that `validate --format sarif` writes, section by section; nothing
// else may be in it. The whole schema, as npm's @microsoft/jest-sarif ships it, was held against the output once: docs/debugging.md.
const object = (required: readonly string[], properties: Readonly<Record<string, object>>): object => ({ type: 'object', additionalProperties: false, required, properties });
const list = (items: object, rest: object = {}): object => ({ type: 'array', items, ...rest });
const text = { type: 'string', minLength: 1 };
const message = object(['text'], { text }); // 3.11: at least one of text and id
const positive = { type: 'integer', minimum: 1 };

const artifactLocation = object(['uri'], { uri: { type: 'string', pattern: "^file:///[A-Za-z0-9._~!$&'()*+,;=:@%/-]+$" } }); // 3.4.3: a URI as of RFC 3986, so escaped
const region = object(['startLine', 'startColumn'], { startLine: positive, startColumn: positive }); // 3.30.5, 3.30.6: both count from 1
const logicalLocation = object(['fullyQualifiedName', 'kind'], { fullyQualifiedName: { type: 'string', pattern: '^/' }, kind: { enum: ['property', 'value'] } }); // 3.33.5, 3.33.7: a JSON pointer, what JSON has
const location = object(['physicalLocation'], { physicalLocation: object(['artifactLocation', 'region'], { artifactLocation, region }), logicalLocations: list(logicalLocation, { minItems: 1, uniqueItems: true }) }); // 3.28, 3.29

const result = object(['ruleId', 'ruleIndex', 'level', 'message', 'locations'], {
  ruleId: text, ruleIndex: { type: 'integer', minimum: 0 }, // 3.27.5, 3.27.6
  level: { enum: ['error', 'warning', 'note', 'none'] }, // 3.27.10
  message, locations: list(location, { minItems: 1, maxItems: 1 }), // 3.27.11, 3.27.12: more only where all must be changed
});
const rule = object(['id', 'shortDescription'], { id: text, shortDescription: message }); // 3.49.3, 3.49.9
const driver = object(['name', 'version', 'rules'], { name: text, version: text, rules: list(rule, { minItems: 1, uniqueItems: true }) }); // 3.19
const run = object(['tool', 'columnKind', 'results'], { tool: object(['driver'], { driver }), columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] }, results: list(result) }); // 3.14, 3.18

/** 3.13: sarifLog. */
export const sarifSchema = object(['version', 'runs'], { $schema: { type: 'string', pattern: '^https://' }, version: { const: '2.1.0' }, runs: list(run, { minItems: 1, maxItems: 1 }) });
