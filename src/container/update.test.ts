// Which changes need no schema.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { validateConfig } from '../../spec/validate.ts';
import { isPlain } from './update.ts';

const test = suite('update');

test('what is plain fits the schema; what may not is looked at', () => {
  const keys = { memory: ['limit', 'reservation', 'swap', 'kernel', 'swappiness', 'checkBeforeUpdate'], cpu: ['shares', 'quota', 'period', 'burst', 'idle', 'cpus', 'mems'], pids: ['limit'], blockIO: ['weight'], unified: ['a.b'], network: ['classID'], devices: ['0'] };
  const values = [0, 1, -1, 5000, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 1.5, 2 ** 60, 1n << 60n, '', '0-3', 'a\0b', true, null, {}, []];
  const plain = new Set<string>();
  for (const [controller, names] of Object.entries(keys)) {
    for (const key of names) {
      for (const value of values) {
        const change = { [controller]: { [key]: value } };
        if (!isPlain(change)) continue;
        plain.add(`${controller}/${key}`);
        assert.equal(validateConfig({ ociVersion: '1.0.0', linux: { resources: change } }), [], `${controller}/${key} ${String(value)}`);
      }
    }
  }
  assert.equal([...plain], ['memory/limit', 'memory/reservation', 'memory/swap', 'cpu/shares', 'cpu/quota', 'cpu/period', 'cpu/burst', 'cpu/cpus', 'cpu/mems', 'pids/limit', 'unified/a.b']);
  for (const change of [{ memory: 5 }, { memory: null }, { pids: [] }, { memory: { limit: 5 }, rdma: {} , cpu: { idle: 1 } }, { toString: { length: 1 } }, { cpu: { toString: 1 } }]) assert.not(isPlain(change as never), JSON.stringify(change));
});

test.run();
