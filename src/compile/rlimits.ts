// process.rlimits (prlimit(2)).
import { nameTables } from '../../native/linux/constants.ts';
import { part, slot, type Arg, type Step } from '../program/step.ts';
import { has, type Context } from './context.ts';

const numbers: Readonly<Record<string, number>> = nameTables.rlimit.names;

/** In a user namespace raising a limit needs rights over the host: the runtime does it from outside. */
const fromOutside = ({ config }: Context): boolean => has(config, 'user');

export function rlimits(context: Context): readonly Step[] {
  return fromOutside(context) ? [] : all(context, 'container', 0);
}

export function rlimitsFromOutside(context: Context): readonly Step[] {
  return fromOutside(context) ? all(context, 'runtime', slot('init')) : [];
}

function all({ config }: Context, side: Step['side'], pid: Arg): readonly Step[] {
  return (config.process?.rlimits ?? []).map(({ type, soft, hard }, index) => {
    const limit = { struct: 'rlimit64', members: { rlim_cur: unlimited(soft), rlim_max: unlimited(hard) } } as const;
    return part(side, `/process/rlimits/${index}`)('prlimit64', [pid, numbers[type] ?? -1, limit, 0], '');
  });
}

/** RLIM_INFINITY is all ones; JSON writers also say -1. */
const unlimited = (value: number | bigint): bigint => BigInt.asUintN(64, BigInt(value));
