/** Lint rules of this repository. Who may import whom is in .dependency-cruiser.mjs. */
import { platformGlobals } from './platformGlobals.mjs';
import { namedExceptions } from './namedExceptions.mjs';

/** Files that declare types only: nothing of them exists at run time. */
const onlyTypes = {
  meta: { type: 'problem', schema: [], messages: { value: 'Only types live here; put values into protocol/.' } },
  create: (context) => {
    const harmless = (node) =>
      node.type.startsWith('TSInterface') ||
      node.type.startsWith('TSTypeAlias') ||
      (node.type === 'ImportDeclaration' && node.importKind === 'type') ||
      (node.type === 'ExportAllDeclaration' && node.exportKind === 'type') ||
      (node.type === 'ExportNamedDeclaration' &&
        (node.declaration ? harmless(node.declaration) : node.exportKind === 'type'));
    return {
      'Program > *': (node) => {
        if (!harmless(node)) context.report({ node, messageId: 'value' });
      },
    };
  },
};

/** A property that is an Observable ends in `$`, and no other property does. Methods, functions and parameters may do as they like. */
const observableProperty = {
  meta: {
    type: 'suggestion',
    schema: [{ type: 'object', properties: { except: { type: 'array', items: { type: 'string' } } } }],
    messages: {
      missing: "'{{ name }}' is an Observable: end its name in $.",
      surplus: "'{{ name }}' is not an Observable: its name must not end in $.",
    },
  },
  create: (context) => {
    const { program, esTreeNodeToTSNodeMap } = context.sourceCode.parserServices;
    const checker = program.getTypeChecker();
    const except = context.options[0]?.except ?? [];
    const isObservable = (type) =>
      checker.getNonNullableType(type).getSymbol()?.name === 'Observable' ||
      (type.isUnion() && type.types.some((member) => member.getSymbol()?.name === 'Observable'));
    const check = (node, key) => {
      if (key.type !== 'Identifier' || except.includes(key.name)) return;
      const type = checker.getTypeAtLocation(esTreeNodeToTSNodeMap.get(node));
      const ends = key.name.endsWith('$');
      // A Subject, or a class built on it, may end in $ as well: it can be subscribed to.
      if (isObservable(type) && !ends) context.report({ node: key, messageId: 'missing', data: { name: key.name } });
      if (ends && !checker.getNonNullableType(type).getProperty('subscribe'))
        context.report({ node: key, messageId: 'surplus', data: { name: key.name } });
    };
    return {
      PropertyDefinition: (node) => check(node, node.key),
      'MethodDefinition[kind="get"]': (node) => check(node.key, node.key),
      TSPropertySignature: (node) => check(node, node.key),
      TSParameterProperty: (node) => {
        if (node.parameter.type === 'Identifier') check(node.parameter, node.parameter);
      },
    };
  },
};

/** Each option has a doc block, which says its meaning, unit and default. */
const documentedOptions = {
  meta: { type: 'problem', schema: [], messages: { missing: "Document the option '{{ name }}'." } },
  create: (context) => ({
    'TSInterfaceDeclaration[id.name=/Options$/] > TSInterfaceBody > :matches(TSPropertySignature, TSMethodSignature)': (
      node,
    ) => {
      const comment = context.sourceCode.getCommentsBefore(node).at(-1);
      if (comment?.type === 'Block' && comment.value.startsWith('*')) return;
      context.report({ node, messageId: 'missing', data: { name: context.sourceCode.getText(node.key) } });
    },
  }),
};

/**
 * The old names of this code base's concepts, and the names of today: for readers of old commits, and for the rule below.
 * `only` narrows an entry to functions or to types.
 */
const oldNames = {
  left: { now: 'abandoned, cancelRequested, remainingTime or release' },
  Trace: { now: 'CallState' },
  sent: { now: 'maybeReceived' },
  by: { now: 'ownership' },
  particulars: { now: 'callMeta' },
  Room: { now: 'RateLimiter' },
  Lane: { now: 'RateLimiter' },
  rooms: { now: 'layers' },
  Open: { now: 'Closeable' },
  Settlements: { now: 'PendingCancels' },
  Settled: { now: 'CancelOutcome' },
  Plan: { now: 'JobEffects', only: 'type' },
  begin: { now: 'track or startEffect', only: 'function' },
  JobInput: { now: 'JobAction' },
  lifted: { now: 'deadlineCleared' },
  passed: { now: 'expiredDeadline' },
  broken: { now: 'readFailed' },
  chunksBroken: { now: 'streamFailed' },
  told: { now: 'notified' },
  owner: { now: 'viewer' },
  reader: { now: 'chunk-viewer' },
  starter: { now: 'id-viewer' },
  WatchTerms: { now: 'WatchRequest' },
  Sink: { now: 'SnapshotObserver' },
  Asker: { now: 'ReadRequest' },
  Listener: { now: 'SnapshotListener' },
  Keeper: { now: 'nothing: it is gone' },
  ending: { now: 'endOnly' },
  otherwise: { now: 'fallbackDueAt' },
  good: { now: 'lastSuccessAt' },
  tried: { now: 'probe' },
  stride: { now: 'probeDistance' },
  moved: { now: 'lastProgressAt' },
  began: { now: 'lastStartAt, startedAt' },
  note: { now: 'markKnown' },
  recall: { now: 'restoreSubmittedAt' },
  heard: { now: 'snapshots$' },
  hurry: { now: 'readNow' },
  had: { now: 'chunksDelivered' },
  StreamPlace: { now: 'ReaderPosition' },
  Flight: { now: 'PipelineTask' },
  Ground: { now: 'TaskHost' },
  younger: { now: 'next' },
  Tally: { now: 'PipelineProgress' },
  Meter: { now: 'RateMeter' },
  Feed: { now: 'InputSource' },
  Intake: { now: 'InputSink' },
  pulling: { now: 'fromIterable' },
  pushing: { now: 'fromObservable' },
  saying: { now: 'withDetails' },
  lossOf: { now: 'streamLoss' },
  askedFor: { now: 'retryAfterMs' },
  due: { now: 'clampDelay', only: 'function' },
  endedBy: { now: 'linkSubscription' },
  limit: { now: 'withTimeoutAndSignal', only: 'function' },
  limitsOf: { now: 'resolveLimits' },
  countBefore: { now: 'lowerBound' },
  JobRecord: { now: 'KnownJob or JobHistory' },
  EndpointState: { now: 'EndpointContext or EndpointSummary' },
  FRESH: { now: 'WORKER_COUNT_MAX_AGE' },
  KEPT: { now: 'MAX_KNOWN_JOBS' },
  LEAST: { now: 'MIN_RATE_FRACTION' },
  SPENT: { now: 'READ_BUDGET_FRACTION' },
  BURST: { now: 'REFUSAL_WINDOW' },
  SOONEST: { now: 'MIN_READ_GAP' },
};

const isFunction = (node) =>
  /Function|^TSMethodSignature$|^MethodDefinition$/.test(node?.type ?? '') ||
  isFunctionValue(node?.value) ||
  isFunctionValue(node?.init) ||
  node?.typeAnnotation?.typeAnnotation?.type === 'TSFunctionType';
const isFunctionValue = (node) => node?.type === 'ArrowFunctionExpression' || node?.type === 'FunctionExpression';
const isType = (node) =>
  /^(Class|TSInterface|TSTypeAlias|TSEnum)Declaration$|^ClassExpression$|^TSTypeParameter$/.test(node?.type ?? '');

/** No declaration bears an old name, except public ones, which the configuration lists with the reason. */
const oldNamesRule = {
  meta: {
    type: 'suggestion',
    schema: namedExceptions('public'),
    messages: { old: "'{{ name }}' is an old name: today it is {{ now }}." },
  },
  create: (context) => {
    const listed = (context.options[0]?.public ?? []).filter(({ file }) =>
      context.filename.replaceAll('\\', '/').endsWith(`/${file}`),
    );
    const check = (node, name, declaration) => {
      if (!Object.hasOwn(oldNames, name) || listed.some((entry) => entry.name === name)) return;
      const { now, only } = oldNames[name];
      if (only === 'function' && !isFunction(declaration)) return;
      if (only === 'type' && !isType(declaration)) return;
      context.report({ node, messageId: 'old', data: { name, now } });
    };
    return {
      'Program:exit': () => {
        for (const { variables } of context.sourceCode.scopeManager.scopes)
          for (const { name, defs } of variables)
            for (const { type, name: node, node: declaration } of defs)
              if (type !== 'ImportBinding') check(node, name, declaration);
      },
      ':matches(PropertyDefinition, AccessorProperty, MethodDefinition, TSAbstractMethodDefinition, TSAbstractPropertyDefinition, TSPropertySignature, TSMethodSignature)[computed=false]':
        (node) => check(node.key, node.key.name ?? String(node.key.value), node),
    };
  },
};

/** Private members are `#name`: the language keeps them private, and one way is enough. */
const hashPrivates = {
  meta: { type: 'suggestion', schema: [], messages: { keyword: 'Write #name, not private name.' } },
  create: (context) => ({
    '[accessibility=private]': (node) => context.report({ node, messageId: 'keyword' }),
  }),
};

export default {
  meta: { name: 'runpod-rx' },
  rules: {
    'documented-options': documentedOptions,
    'hash-privates': hashPrivates,
    'observable-property': observableProperty,
    'old-names': oldNamesRule,
    'only-types': onlyTypes,
    'platform-globals': platformGlobals,
  },
};
