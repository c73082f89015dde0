// `runt --version`, in the shape that go-runc, dockerd, Podman and CRI-O read.

declare const RUNT_COMMIT: string | undefined;

export const VERSION = '0.1.0';
const commit = typeof RUNT_COMMIT === 'undefined' ? 'unknown' : RUNT_COMMIT;

export function versionText(): string {
  const engine = process.versions['bun'] === undefined ? `node ${process.versions.node}` : `bun ${process.versions['bun']}`;
  return `runt version ${VERSION}\ncommit: ${commit}\nspec: 1.3.0\nengine: ${engine}\n`;
}
