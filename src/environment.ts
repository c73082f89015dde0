// The environment as our caller gave it.

/** Without the switches that the executable's launcher adds for its engine (native/engine/launcher.c). */
export function callersEnvironment(): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) if (!name.startsWith('BUN_JSC_')) variables[name] = value ?? '';
  return variables;
}
