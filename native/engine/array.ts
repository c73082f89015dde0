// Array methods for the executable: JavaScriptCore has its own as source, and compiles each at its first use for a tenth of a
// millisecond; these come compiled with the rest. As ECMA-262 has them, but that a derived array is always a plain one.
type Each = (value: unknown, index: number, array: unknown[]) => unknown;

/** Holes are passed over where ECMA-262 does so. */
const methods = {
  forEach(this: unknown[], call: Each, self?: unknown): void {
    const { length } = this;
    for (let i = 0; i < length; i++) if (i in this) call.call(self, this[i], i, this);
  },
  map(this: unknown[], call: Each, self?: unknown): unknown[] {
    const { length } = this;
    const result = new Array<unknown>(length);
    for (let i = 0; i < length; i++) if (i in this) result[i] = call.call(self, this[i], i, this);
    return result;
  },
  filter(this: unknown[], call: Each, self?: unknown): unknown[] {
    const { length } = this;
    const result: unknown[] = [];
    for (let i = 0; i < length; i++) {
      if (!(i in this)) continue;
      const value = this[i];
      if (call.call(self, value, i, this)) result.push(value);
    }
    return result;
  },
  some(this: unknown[], call: Each, self?: unknown): boolean {
    const { length } = this;
    for (let i = 0; i < length; i++) if (i in this && call.call(self, this[i], i, this)) return true;
    return false;
  },
  every(this: unknown[], call: Each, self?: unknown): boolean {
    const { length } = this;
    for (let i = 0; i < length; i++) if (i in this && !call.call(self, this[i], i, this)) return false;
    return true;
  },
  find(this: unknown[], call: Each, self?: unknown): unknown {
    const { length } = this;
    for (let i = 0; i < length; i++) {
      const value = this[i];
      if (call.call(self, value, i, this)) return value;
    }
    return undefined;
  },
  findIndex(this: unknown[], call: Each, self?: unknown): number {
    const { length } = this;
    for (let i = 0; i < length; i++) if (call.call(self, this[i], i, this)) return i;
    return -1;
  },
  flatMap(this: unknown[], call: Each, self?: unknown): unknown[] {
    const { length } = this;
    const result: unknown[] = [];
    for (let i = 0; i < length; i++) {
      if (!(i in this)) continue;
      const value = call.call(self, this[i], i, this);
      if (!Array.isArray(value)) result.push(value);
      else for (let j = 0; j < value.length; j++) if (j in value) result.push(value[j]);
    }
    return result;
  },
};

const prototype = Array.prototype as unknown as Record<string, unknown>;
for (const name in methods) prototype[name] = methods[name as keyof typeof methods];
