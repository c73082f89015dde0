// A config.json for tests of the rules.

/** A small good document, new each time. */
export function specSample(): { ociVersion: string; root: { path: string }; process: Record<string, unknown>; mounts: Record<string, unknown>[]; linux: Record<string, unknown>; hostname: string; [key: string]: unknown } {
  return {
    ociVersion: '1.0.2',
    root: { path: 'rootfs' },
    hostname: 'h',
    process: { args: ['sh'], cwd: '/', env: ['PATH=/bin'], user: { uid: 0, gid: 0 } },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: { namespaces: [{ type: 'mount' }, { type: 'uts' }, { type: 'pid' }] },
  };
}
