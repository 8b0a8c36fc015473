import type { FaultName, FaultOptions, FaultRule } from './FaultRule.js';

/** Converts faults of either form to a list of rules. */
export function rulesOf(options: FaultOptions): readonly FaultRule[] {
  if (isList(options)) return options;
  // A member with the value `undefined` counts as absent.
  const entries: readonly [string, Exclude<FaultOptions, readonly FaultRule[]>[FaultName]][] = Object.entries(options);
  return entries.flatMap(([name, value]): FaultRule[] => {
    const fault = name as FaultName; // the keys of FaultOptions are names of faults
    if (value === undefined) return [];
    return [typeof value === 'number' ? { fault, probability: value } : { ...value, fault }];
  });
}

// `Array.isArray` does not narrow a union with a readonly array.
function isList(options: FaultOptions): options is readonly FaultRule[] {
  return Array.isArray(options);
}
