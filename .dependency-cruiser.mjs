/**
 * Who may import whom, types as well as values: `npm run layers` checks it, and `npm test` does.
 *
 * Each row of the table names a layer, what it may import besides itself, and which packages; `node` stands for Node's
 * own modules. A layer is a file of src/, or a folder of it without the layers that lie in that folder. A file of src/
 * that belongs to no layer fails the check: add a row.
 */
const client = ['http', 'polling', 'pipelines', 'job', 'operators', 'sources', 'errors', 'protocol', 'time', 'types'];
const streams = ['rxjs', '@standard-schema/spec'];
/** The facts about RunPod that the client and the emulator share. The emulator works out everything else for itself. */
const facts = ['types', 'time', 'protocol/operations.ts', 'protocol/limits.ts'];
/** These know nothing about RunPod: a misreading cannot pass on both sides by them. */
const general = ['protocol/checkOptions.ts', 'protocol/checks.ts', 'protocol/didYouMean.ts', 'protocol/loopback.ts'];
/** What the entries on top of the client may import. */
const door = ['index.ts', ...general, 'errors/invalidOptions.ts', 'errors/reportUnhandled.ts', 'time'];

/** @type {{ layer: string, imports: string[], packages: string[] }[]} */
export const layers = [
  { layer: 'types', imports: [], packages: streams },
  { layer: 'time', imports: [], packages: ['rxjs'] },
  { layer: 'protocol', imports: ['types'], packages: streams },
  { layer: 'errors', imports: ['protocol', 'types'], packages: streams },
  { layer: 'http', imports: ['errors', 'protocol', 'time', 'types'], packages: streams },
  {
    layer: 'http/transports',
    imports: ['http/transports/node', 'errors', 'protocol', 'types'],
    packages: ['rxjs', 'axios', 'undici'],
  },
  { layer: 'http/transports/node', imports: ['http/transports', 'protocol', 'types'], packages: ['undici', 'node'] },
  { layer: 'operators', imports: ['errors', 'protocol', 'time', 'types'], packages: streams },
  { layer: 'sources', imports: ['operators', 'errors', 'protocol', 'time', 'types'], packages: streams },
  { layer: 'polling', imports: ['http', 'sources', 'errors', 'protocol', 'time', 'types'], packages: streams },
  { layer: 'pipelines', imports: ['operators', 'sources', 'errors', 'protocol', 'time', 'types'], packages: streams },
  { layer: 'job', imports: ['operators', 'sources', 'errors', 'protocol', 'time', 'types'], packages: streams },
  { layer: 'promises', imports: ['job', 'operators', 'errors', 'protocol'], packages: ['rxjs'] },
  { layer: 'cost', imports: ['errors', 'protocol'], packages: [] },
  { layer: 'endpoint', imports: client, packages: streams },
  { layer: 'endpoint.ts', imports: ['endpoint', ...client], packages: streams },
  {
    layer: 'runpod.ts',
    imports: ['endpoint.ts', 'endpoint', 'http/transports', ...client],
    packages: [...streams, 'axios'],
  },
  {
    layer: 'index.ts',
    imports: ['runpod.ts', 'endpoint.ts', 'endpoint', 'promises', 'cost', 'http/transports', ...client],
    packages: [],
  },
  { layer: 'undici.ts', imports: ['http/transports', 'types'], packages: [] },
  { layer: 'fetch.ts', imports: ['http/transports', 'types'], packages: [] },
  // For pages, beside a client: it loads nothing of the client's.
  { layer: 'events', imports: ['protocol/vouchedNotice.ts'], packages: ['rxjs'] },
  // A front door: made of what users have, and of the checks of options.
  {
    layer: 'server',
    imports: [...door, 'events', 'server/adapters', 'protocol/json.ts'],
    packages: ['rxjs', '@noble/hashes'],
  },
  {
    layer: 'durable',
    imports: [...door, 'server/eventually.ts', 'server/webhooks/WebhookStore.ts', 'batch/BatchStore.ts'],
    packages: ['rxjs', '@noble/hashes', 'node'],
  },
  {
    layer: 'batch',
    imports: [...door, 'errors/invalidRequest.ts', 'protocol', 'server/eventually.ts'],
    packages: ['rxjs', '@noble/hashes'],
  },
  // What the doors to queues share.
  {
    layer: 'queues',
    imports: [...door, 'durable', 'server/eventually.ts'],
    packages: ['rxjs'],
  },
  {
    layer: 'bullmq',
    imports: [...door, 'queues', 'budget', 'durable', 'server/eventually.ts', 'server/webhooks/WebhookStore.ts'],
    packages: ['rxjs'],
  },
  {
    layer: 'pg-boss',
    imports: [...door, 'queues', 'budget', 'durable', 'server/eventually.ts', 'server/webhooks/WebhookStore.ts'],
    packages: ['rxjs'],
  },
  { layer: 'budget', imports: [...door, 'server/eventually.ts'], packages: ['rxjs'] },
  {
    layer: 'angular',
    imports: [...door, 'fetch.ts', 'events', 'protocol/json.ts', 'protocol/operations.ts', 'protocol/statusRules.ts'],
    packages: ['rxjs', '@angular/core', '@angular/common'],
  },
  {
    layer: 'angular/testing',
    imports: ['angular', 'emulator'],
    packages: ['rxjs', '@angular/core'],
  },
  { layer: 'server/adapters', imports: ['server', ...door], packages: ['node'] },
  {
    layer: 'nestjs',
    imports: [...door, 'server/index.ts'],
    packages: ['rxjs', '@nestjs/common', '@nestjs/core', 'node'],
  },
  { layer: 'otel', imports: door, packages: ['rxjs', '@opentelemetry/api'] },
  { layer: 'emulator', imports: [...facts, ...general], packages: ['rxjs'] },
  { layer: 'emulator/server', imports: ['emulator', ...facts, ...general], packages: ['rxjs', 'node'] },
  {
    // The page at the emulator's root: a page over the client, which knows the form of what its server tells.
    layer: 'dashboard',
    imports: ['index.ts', 'fetch.ts', 'events', 'emulator', 'emulator/server/dashboard/FeedEvent.ts'],
    packages: ['rxjs'],
  },
  {
    layer: 'cli',
    imports: [
      'protocol/checks.ts',
      'protocol/loopback.ts',
      'emulator',
      'emulator/server',
      'cli/jobs',
      'time',
      'package.json',
    ],
    packages: ['rxjs', 'commander', 'node'],
  },
  { layer: 'cli/jobs', imports: ['index.ts', 'time', 'cli', 'cli/pipeline'], packages: ['rxjs', 'commander', 'node'] },
  { layer: 'cli/pipeline', imports: ['index.ts', 'durable', 'time', 'cli', 'cli/jobs'], packages: ['rxjs', 'node'] },
];

const escape = (text) => text.replaceAll('.', '\\.');

/** A pattern for the files of a layer, or for a single file. */
function place(name) {
  if (name === 'package.json') return '^package\\.json$';
  if (name.endsWith('.ts')) return `^src/${escape(name)}$`;
  const inner = layers.filter(({ layer }) => layer.startsWith(`${name}/`)).map(({ layer }) => layer.slice(name.length));
  return `^src/${name}${inner.map((folder) => `(?!${folder}/)`).join('')}/`;
}
const packaged = (name) => `^node_modules/${name}/`;

const rows = layers.map(({ layer, imports, packages }) => ({
  name: `${layer} imports only what it may`,
  comment: `Besides itself, ${layer} may import ${[...imports, ...packages].join(', ') || 'nothing'}.`,
  severity: 'error',
  from: { path: place(layer) },
  to: {
    pathNot: [place(layer), ...imports.map(place), ...packages.filter((name) => name !== 'node').map(packaged)],
    ...(packages.includes('node') && { dependencyTypesNot: ['core'] }),
  },
}));

const outside = { path: '^src/', pathNot: layers.map(({ layer }) => place(layer)) };
const layerless = { comment: 'Add a row to the table of layers in .dependency-cruiser.mjs.', severity: 'error' };

export default {
  forbidden: [
    ...rows,
    { ...layerless, name: 'every file belongs to a layer', from: outside, to: {} },
    { ...layerless, name: 'every file without imports belongs to a layer', from: { ...outside, orphan: true }, to: {} },
    {
      name: 'no cycles',
      comment: 'No file imports itself, directly or through others.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'undici stays out of browsers',
      comment: 'Only the adapter for Node and the undici transport import undici, and what is for Node.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/http/transports/(adapter\\.node|undici|node/)' },
      to: { path: [packaged('undici'), '^src/http/transports/node/'] },
    },
    {
      name: 'axios stays with its transport',
      comment: 'Only the axios transport and its adapters load axios; runpod.ts imports its types.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/http/transports/(adapter|[Aa]xios)' },
      to: { path: packaged('axios'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'the transports over undici and fetch need no axios',
      comment: 'Whoever imports runpod-rx/undici or runpod-rx/fetch may leave axios out of a bundle.',
      severity: 'error',
      from: { path: '^src/http/transports/(undici|fetch)' },
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
