// How a failure is shown: lines for a person, one line for the log file a manager named.
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { utf8 } from '../native/linux/syscalls.ts';
import { RuntimeError } from './errors.ts';
import { sleep } from './sleep.ts';

/** `/mounts/3/options/1` → `mounts[3].options[1]`. */
export function pointerPath(pointer: string): string {
  return pointer.split('/').slice(1).map((word) => word.replace(/~1/g, '/').replace(/~0/g, '~')).reduce((path, word) => {
    if (/^\d+$/.test(word)) return `${path}[${word}]`;
    if (!/^[A-Za-z_$][\w$]*$/.test(word)) return `${path}[${JSON.stringify(word)}]`;
    return path === '' ? word : `${path}.${word}`;
  }, '');
}

/** Where and what, without the command: `mounts[3]: fsopen("banana", 0): ENODEV (no such device)`. */
export function errorSentence(error: RuntimeError): string {
  const { pointer } = error.details;
  return pointer ? `${pointerPath(pointer)}: ${error.message}` : error.message;
}

/** All lines for standard error: the sentence, what the kernel said, the place in config.json, what to try, and further problems. */
export function formatError(error: RuntimeError, subject: string): string {
  const { kernel, position, hint, more } = error.details;
  const lines = [`runt: ${subject}${errorSentence(error)}`];
  for (const line of kernel ?? []) lines.push(`  kernel: ${line}`);
  if (position) lines.push(`  ${position}`);
  if (hint) lines.push(`  try: ${hint}`);
  for (const other of more ?? []) {
    lines.push(`  ${pointerPath(other.pointer) || 'config.json'}: ${other.message} (${other.position})`);
    if (other.hint) lines.push(`    try: ${other.hint}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The one line for --log, newline included. Managers parse the JSON form: level, msg, time (RFC 3339). */
export function logLine(format: 'text' | 'json', message: string, time: string, level: 'error' | 'warning' = 'error'): string {
  const fields = { level, msg: message, time };
  return format === 'json' ? `${JSON.stringify(fields)}\n` : `time="${time}" level=${level} msg=${JSON.stringify(message)}\n`;
}

/** Appends to a log file; a symlink in its place is not followed. Gives the problem, if there is one. */
export function appendLog(path: string, line: string): string | undefined {
  try {
    const fd = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
    writeSync(fd, line);
    closeSync(fd);
    return undefined;
  } catch (error) {
    return `cannot write the log ${path}: ${(error as NodeJS.ErrnoException).code}`;
  }
}

/** Writes all of it to a descriptor: process.stdout costs 8 to 18 ms to touch. A closed pipe is nobody's error. */
export function write(fd: number, text: string | Uint8Array): void {
  const bytes = typeof text === 'string' ? utf8(text) : text;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EAGAIN') return;
      sleep(1);
    }
  }
}
