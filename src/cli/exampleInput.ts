/** Members of the input that a handler reads: `input.prompt`, `input?.prompt`, `{ input: { prompt } }`. */
const READ = /\binput(?:\?\.|\.)(\w+)|\binput\s*:\s*\{([^}]*)\}/g;

/**
 * An input for the examples that the command shows: text for each member that the handler's code reads of its input. A guess,
 * so that an example works as it is pasted; where nothing is found, a prompt.
 */
export function exampleInput(handler: unknown): Record<string, string> {
  const code = typeof handler === 'function' ? Function.prototype.toString.call(handler) : '';
  const reads = [...code.matchAll(READ)];
  const names = reads.flatMap(([, member, members = '']) => member ?? members.split(',').map(nameOf));
  const found = [...new Set(names)].filter((name) => name !== '');
  return Object.fromEntries((found.length > 0 ? found : ['prompt']).map((name) => [name, 'hello']));
}

/** The name of a member in a destructuring: without its default, and without the name that it gets. */
function nameOf(member: string): string {
  return /^\s*(\w+)/.exec(member)?.[1] ?? '';
}
