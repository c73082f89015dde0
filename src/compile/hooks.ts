// hooks (config.md#posix-platform-hooks): where in the order each kind runs. How one runs is src/container/hooks.ts.
import { part, type Step } from '../program/step.ts';
import type { Context } from './context.ts';

type Kind = 'prestart' | 'createRuntime' | 'createContainer' | 'startContainer';

function run({ config }: Context, kind: Kind, why: string): readonly Step[] {
  return (config.hooks?.[kind] ?? []).map((hook, index) => part('runtime', `/hooks/${kind}/${index}`)('hook', [kind, index, hook.path], why));
}

export function runtimeHooks(context: Context): readonly Step[] {
  return [
    ...run(context, 'prestart', 'in the runtime’s namespaces; deprecated, but older managers use it'),
    ...run(context, 'createRuntime', 'in the runtime’s namespaces'),
  ];
}

export function containerHooks(context: Context): readonly Step[] {
  return run(context, 'createContainer', 'in the container’s namespaces, entered by a program of its own');
}

export function startHooks(context: Context): readonly Step[] {
  return run(context, 'startContainer', 'in the container, as its user, run by `start`');
}
