/**
 * Who may import what. The rooms stand in one line; a file imports from rooms further down the line and from its own.
 * What goes beyond that line is in the table.
 */
const line = [
  'runpod',
  'endpoint',
  'client',
  'job',
  'operators',
  'sources',
  'transport',
  'errors',
  'protocol',
  'types',
];

const below = (room) => line.slice(line.indexOf(room) + 1);

/** Facts about RunPod that both sides may share; everything else the emulator works out for itself. */
const sharedWithEmulator = ['types', 'protocol/operations', 'protocol/limits'];

/**
 * `rooms`: rooms, or files in them, besides its own. `packages`: by name; `node:` stands for every module of Node.
 * @type {Record<string, { rooms: string[], packages: string[] }>}
 */
const table = {
  ...Object.fromEntries(
    line.map((room) => [room, { rooms: below(room), packages: ['rxjs', '@standard-schema/spec'] }]),
  ),

  // They take functions and narrow ports, so that they work with any client.
  operators: { rooms: ['sources', 'errors', 'protocol', 'types'], packages: ['rxjs', '@standard-schema/spec'] },
  sources: { rooms: ['errors', 'protocol', 'types'], packages: ['rxjs', '@standard-schema/spec'] },

  // The front door and the side doors: exports only.
  index: { rooms: line, packages: [] },
  undici: { rooms: ['transport', 'types'], packages: [] },

  testing: { rooms: sharedWithEmulator, packages: ['rxjs'] },
  emulator: { rooms: ['testing', ...sharedWithEmulator], packages: ['rxjs', 'node:'] },
  cli: { rooms: ['emulator', 'testing'], packages: ['rxjs', 'commander', 'node:'] },
};

/** Single files that may use a package their room may not; `types`: only its types. */
const files = [
  { file: /^runpod$/, packages: ['axios'], types: true },
  { file: /^transport\/\w*axios\w*$/i, packages: ['axios', '#adapter'] },
  { file: /^transport\/adapter\.browser$/, packages: ['axios'] },
  { file: /^transport\/adapter\.node$/, packages: ['axios', 'undici', 'node:'] },
  { file: /^transport\/\w*undici\w*$/i, packages: ['undici', 'node:'] },
];

/** `rxjs/testing` → `rxjs/testing`, `node:http` → `node:`. Subpaths count as packages of their own. */
const packageOf = (specifier) => (specifier.startsWith('node:') ? 'node:' : specifier);

const roomOf = (file) => file.split('/')[0];

const within = (file, allowed) => allowed.some((place) => file === place || file.startsWith(`${place}/`));

/**
 * Why `from` may not import `specifier`, or undefined when it may.
 * @param {string} from a file below src/, without its extension, with `/`
 * @param {string | undefined} target the imported file in the same form, for a relative import
 * @param {string} specifier as written
 * @param {boolean} isType whether only a type is taken
 * @returns {string | undefined}
 */
export function refusal(from, target, specifier, isType) {
  const room = roomOf(from);
  const row = Object.hasOwn(table, room) ? table[room] : undefined;
  if (!row) return `src/${room} is not in the table of rooms (scripts/lint/rooms.mjs): add it with what it may import`;
  if (target === undefined) {
    const packages = [
      ...row.packages,
      ...files.filter(({ file, types }) => file.test(from) && (isType || !types)).flatMap((row) => row.packages),
    ];
    return packages.includes(packageOf(specifier)) ? undefined : `src/${from} may not import '${specifier}'`;
  }
  // The version that the command prints.
  if (target === '../package.json' && room === 'cli') return undefined;
  if (target.startsWith('../')) return `'${specifier}' leaves src/`;
  if (roomOf(target) === room || within(target, row.rooms)) return undefined;
  return `${room} may import only from ${row.rooms.join(', ') || 'itself'}; '${specifier}' is in ${roomOf(target)}`;
}
