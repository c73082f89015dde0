// What config.json itself cannot be made to do: limits that silently fail, numbers that wrap, names that escape.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { baseConfig } from '../harness.ts';
import { temporary, type Config, type Subject } from './bundles.ts';
import type { Check } from './checks.ts';

const refuses = ({ run }: { readonly run: Subject['run'] }, change: (config: Config) => void): void => {
  const config = baseConfig('/bin/true');
  change(config);
  const { code, stderr } = run(config);
  assert.is.not(code, 0, 'it ran');
  assert.ok(stderr.trim().length > 0, 'without a word');
};

const controllers = existsSync('/sys/fs/cgroup/cgroup.controllers') ? readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').split(/\s+/) : [];

export const configuration: readonly Check[] = [
  {
    about: 'invariant 5', holds: 'a limit whose controller is not there is an error',
    check: (subject) => {
      if (controllers.includes('pids')) return;
      refuses(forms(subject), (config) => void ((config.linux['resources'] as Record<string, unknown>)['pids'] = { limit: 10 }));
    },
  },
  { about: 'invariant 5', holds: 'an rlimit that cannot be raised, and a sysctl that does not exist, are errors', check: (subject) => {
    refuses(forms(subject), (config) => void (config.linux['sysctl'] = { 'net.ipv4.no_such_thing': '1' }));
    refuses(forms(subject), (config) => void (config.process['rlimits'] = [{ type: 'RLIMIT_NOFILE', soft: 2 ** 40, hard: 2 ** 40 }]));
  } },
  {
    about: 'CVE-2025-52881, invariant 3', holds: 'sysctls of the host are refused, and names that climb out of /proc/sys',
    check: (subject) => {
      const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
      for (const key of ['kernel.core_pattern', 'kernel/../kernel/core_pattern', 'net/../kernel/core_pattern', 'net.ipv4/../../../kernel/core_pattern', 'fs.mqueue/../../kernel/core_pattern']) {
        refuses(forms(subject), (config) => void (config.linux['sysctl'] = { [key]: before.trim() }));
      }
      assert.is(readFileSync('/proc/sys/kernel/core_pattern', 'utf8'), before);
    },
  },
  {
    about: 'CVE-2021-43784', holds: 'a text longer than 64 KiB is refused or used whole, never cut',
    check: (subject) => {
      const long = `/${'a'.repeat(70_000)}`;
      refuses(forms(subject), (config) => void config.mounts.push({ destination: '/tmp', type: 'bind', source: long, options: ['bind'] }));
      refuses(forms(subject), (config) => void (config.linux['namespaces'] as object[]).push({ type: 'user', path: long }));
    },
  },
  { about: 'invariant 4', holds: 'a capability that does not exist is not taken for another', check: (subject) => {
    const result = ((): string => {
      try {
        return subject.sh('grep ^CapEff /proc/self/status', (config) => void (config.process['capabilities'] = { bounding: ['CAP_KILL', 'CAP_BANANA'], effective: ['CAP_KILL', 'CAP_BANANA'], permitted: ['CAP_KILL', 'CAP_BANANA'] }));
      } catch {
        return 'refused';
      }
    })();
    assert.match(result, /refused|CapEff:\t0{14}20$/);
  } },
  {
    about: 'invariant 3', holds: 'a device whose path climbs is not made outside',
    check: (subject) => {
      const outside = temporary('devices-');
      const config = baseConfig('/bin/true');
      config.linux['devices'] = [{ path: `/dev/../../../../../../../..${outside}/null`, type: 'c', major: 1, minor: 3, fileMode: 0o666 }];
      subject.run(config);
      assert.equal(readdirSync(outside), []);
    },
  },
  {
    about: 'hardening', holds: 'ids that are paths are refused',
    check: ({ runtime }) => {
      for (const id of ['..', '.', '../up', 'a/b', '']) {
        const { code } = runtime.run(['state', id]);
        assert.is.not(code, 0, id);
        assert.is.not(runtime.run(['create', '--bundle', '/nonexistent', id]).code, 0);
      }
    },
  },
  {
    about: 'hardening', holds: 'a namespace asked for twice, and one that is no namespace, are refused',
    check: (subject) => {
      refuses(forms(subject), (config) => void (config.linux['namespaces'] as object[]).push({ type: 'pid' }));
      refuses(forms(subject), (config) => void (config.linux['namespaces'] = [{ type: 'mount' }, { type: 'network', path: '/etc/passwd' }]));
      refuses(forms(subject), (config) => void (config.linux['namespaces'] = [{ type: 'mount' }, { type: 'network', path: '/proc/self/ns/uts' }]));
    },
  },
  {
    about: 'hardening', holds: 'a cgroups path that climbs ends inside the hierarchy',
    check: (subject) => {
      const config = baseConfig('/bin/true');
      const outside = temporary('climb-');
      config.linux['cgroupsPath'] = `/../../../..${outside}/group`;
      subject.run(config);
      assert.equal(readdirSync(outside), []);
    },
  },
];

/** `run` bound to its subject. */
function forms(subject: Subject): { readonly run: Subject['run'] } {
  return { run: (config) => subject.run(config) };
}
