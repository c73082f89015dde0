// Properties of a systemd unit that runt sets, and those an annotation may set: name → D-Bus type (org.freedesktop.systemd1(5)).

/** `b` boolean, `s` text, `i` and `u` 32-bit, `t` 64-bit or `infinity`, `as` texts, `ay` a set of numbers as a bit mask. */
export type PropertyType = 'b' | 's' | 'i' | 'u' | 't' | 'as' | 'ay';

/** What follows from config.json and the driver itself. */
export const ownProperties: Readonly<Record<string, PropertyType>> = {
  Description: 's', Slice: 's', Wants: 'as', Delegate: 'b', DefaultDependencies: 'b',
  CPUAccounting: 'b', MemoryAccounting: 'b', IOAccounting: 'b', TasksAccounting: 'b',
  CPUWeight: 't', CPUQuotaPerSecUSec: 't', CPUQuotaPeriodUSec: 't', AllowedCPUs: 'ay', AllowedMemoryNodes: 'ay',
  MemoryMin: 't', MemoryLow: 't', MemoryHigh: 't', MemoryMax: 't', MemorySwapMax: 't', TasksMax: 't', IOWeight: 't', OOMPolicy: 's',
};

/**
 * What an annotation `org.systemd.property.NAME` may set: how the scope is ended, ordered and described. Properties that
 * reach beyond the scope are not here: other units (BindsTo, Conflicts, OnFailure), the machine (FailureAction), programs
 * of the host (BPFProgram, IPIngressFilterPath), or where the scope is (Slice, Delegate).
 */
export const annotationProperties: Readonly<Record<string, PropertyType>> = {
  Description: 's', Documentation: 'as', After: 'as', Before: 'as', CollectMode: 's', DefaultDependencies: 'b',
  TimeoutStopUSec: 't', RuntimeMaxUSec: 't', KillMode: 's', KillSignal: 'i', FinalKillSignal: 'i', SendSIGKILL: 'b', SendSIGHUP: 'b', OOMPolicy: 's',
  ManagedOOMSwap: 's', ManagedOOMMemoryPressure: 's', ManagedOOMPreference: 's',
  CPUWeight: 't', StartupCPUWeight: 't', IOWeight: 't', StartupIOWeight: 't', MemoryMin: 't', MemoryLow: 't', MemoryHigh: 't', MemoryMax: 't', MemorySwapMax: 't', TasksMax: 't',
};

const lookUp = (table: Readonly<Record<string, PropertyType>>, name: string): PropertyType | undefined => (Object.hasOwn(table, name) ? table[name] : undefined);

export const typeOfAnnotation = (name: string): PropertyType | undefined => lookUp(annotationProperties, name);
export const typeOfProperty = (name: string): PropertyType | undefined => lookUp(ownProperties, name) ?? typeOfAnnotation(name);
