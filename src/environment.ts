// The environment as our caller gave it.

/** Without what the executable's launcher adds (native/engine/launcher.c). */
export function callersEnvironment(): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (!name.startsWith('BUN_JSC_') && name !== 'RUNT_GATE') variables[name] = value ?? '';
  return variables;
}
