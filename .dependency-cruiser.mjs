/**
 * Who may import whom, types as well as values. Each row names a layer, what it may import besides itself, and which
 * packages. A folder or file of src/ that has no row fails the check: give it one.
 */
const client = [
  'http',
  'polling',
  'pipelines',
  'job',
  'endpoint',
  'operators',
  'sources',
  'errors',
  'protocol',
  'types',
];
const streams = ['rxjs', '@standard-schema/spec'];
/** Facts about RunPod that the client and the emulator may share; all else the emulator works out for itself. */
const facts = ['types', 'protocol/operations', 'protocol/limits'];

/** @type {{ layer: string, imports: string[], packages?: string[], except?: string[] }[]} */
const layers = [
  { layer: 'types', imports: [], packages: streams },
  { layer: 'protocol', imports: ['types'], packages: streams },
  { layer: 'errors', imports: ['protocol', 'types'], packages: streams },
  { layer: 'http', imports: ['errors', 'protocol', 'types'], packages: streams, except: ['http/transports'] },
  {
    layer: 'http/transports',
    imports: ['errors', 'protocol', 'types'],
    packages: ['rxjs', 'axios', '#adapter', 'undici'],
  },
  { layer: 'operators', imports: ['errors', 'protocol', 'types'], packages: streams },
  { layer: 'sources', imports: ['operators', 'errors', 'protocol', 'types'], packages: streams },
  { layer: 'polling', imports: ['http', 'sources', 'errors', 'protocol', 'types'], packages: streams },
  { layer: 'pipelines', imports: ['operators', 'sources', 'errors', 'protocol', 'types'], packages: streams },
  { layer: 'job', imports: ['operators', 'sources', 'errors', 'protocol', 'types'], packages: streams },
  { layer: 'endpoint', imports: client, packages: streams },
  { layer: 'endpoint.ts', imports: client, packages: streams },
  { layer: 'runpod.ts', imports: ['endpoint.ts', ...client], packages: [...streams, 'axios'] },
  { layer: 'index.ts', imports: ['runpod.ts', 'endpoint.ts', ...client] },
  { layer: 'undici.ts', imports: ['http/transports', 'types'] },
  { layer: 'emulator', imports: facts, packages: ['rxjs'], except: ['emulator/server'] },
  { layer: 'emulator/server', imports: ['emulator', ...facts], packages: ['rxjs', 'node'] },
  { layer: 'cli', imports: ['emulator', 'package.json'], packages: ['rxjs', 'commander', 'node'] },
];

const escape = (text) => text.replaceAll('.', '\\.');
/** A pattern for a file of src/, or for everything below a folder of it. */
const place = (name) =>
  name === 'package.json'
    ? '^package\\.json$'
    : name.includes('.ts')
      ? `^src/${escape(name)}$`
      : `^src/${name}(/|\\.ts$)`;
/** A pattern for a package as dependency-cruiser resolves it. `node` stands for Node's own modules. */
const packaged = (name) => (name === 'node' ? '^(node:|[a-z_/]+$)' : `^node_modules/${name}/`);
const adapters = '^src/http/transports/adapter\\.';

const rules = layers.map(({ layer, imports, packages = [], except = [] }) => ({
  name: `${layer} imports only what it may`,
  comment: `${layer} may import ${[...imports, ...packages].join(', ') || 'nothing'}.`,
  severity: 'error',
  from: { path: place(layer), ...(except.length && { pathNot: except.map(place) }) },
  to: {
    pathNot: [
      place(layer),
      ...imports.map(place),
      ...packages.filter((name) => name !== '#adapter').map(packaged),
      ...(packages.includes('#adapter') ? [adapters] : []),
    ],
  },
}));

export default {
  forbidden: [
    ...rules,
    {
      name: 'every file belongs to a layer',
      comment: 'Add a row to the table of layers in .dependency-cruiser.mjs.',
      severity: 'error',
      from: { path: '^src/', pathNot: layers.map(({ layer }) => place(layer)) },
      to: {},
    },
    {
      name: 'no cycles',
      comment: 'A file must not import itself, however long the way.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'undici stays out of browsers',
      comment: 'Only the adapter for Node and the undici transport import undici.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/http/transports/(adapter\\.node|undici)'] },
      to: { path: packaged('undici') },
    },
    {
      name: 'axios stays with its transport',
      comment: 'Only the axios transport imports axios; runpod.ts imports its types.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/http/transports/(adapter|[Aa]xios)'] },
      to: { path: packaged('axios'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'axios is loaded by the adapter or the transport',
      comment: 'The undici files work without axios.',
      severity: 'error',
      from: { path: '^src/http/transports/undici' },
      to: { path: packaged('axios') },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { conditionNames: ['import', 'types', 'node', 'default'], exportsFields: ['exports'] },
  },
};
