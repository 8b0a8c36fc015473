import type { FaultName, FaultOptions, FaultRule } from './FaultRule.js';

/** Faults in either form as a list of rules. */
export function rulesOf(options: FaultOptions): readonly FaultRule[] {
  if (isList(options)) return options;
  // An option that is there and undefined is as good as absent.
  const entries: readonly [string, Exclude<FaultOptions, readonly FaultRule[]>[FaultName]][] = Object.entries(options);
  return entries.flatMap(([name, value]): FaultRule[] => {
    const fault = name as FaultName; // the keys of FaultOptions are names of faults
    if (value === undefined) return [];
    return [typeof value === 'number' ? { fault, probability: value } : { ...value, fault }];
  });
}

// Array.isArray does not narrow a readonly array away.
function isList(options: FaultOptions): options is readonly FaultRule[] {
  return Array.isArray(options);
}
