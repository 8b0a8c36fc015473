/**
 * The schema of a rule's one option: a list of names that the rule lets pass, each in one file and with the reason.
 *
 * @param {string} option - what the rule calls the list
 */
export function namedExceptions(option) {
  const entry = {
    type: 'object',
    properties: { name: { type: 'string' }, file: { type: 'string' }, why: { type: 'string' } },
    required: ['name', 'file', 'why'],
    additionalProperties: false,
  };
  return [{ type: 'object', properties: { [option]: { type: 'array', items: entry } }, additionalProperties: false }];
}
