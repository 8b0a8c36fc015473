import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { refusal } from './rooms.mjs';

const source = fileURLToPath(new URL('../../src/', import.meta.url));

const withoutExtension = (path) => path.replace(/\.(js|ts)$/, '');

/** A path below src/ as the table of rooms spells it. */
const spelled = (path) => withoutExtension(relative(source, path).split(sep).join('/'));

const isRelative = (specifier) => specifier.startsWith('.');

/** Calls back for everything that names a module: imports, re-exports, `import()` and `import('…').Type`. */
function onModule(callback) {
  const visit = (node, literal) => {
    if (literal && typeof literal.value === 'string') callback(node, literal.value);
  };
  return {
    ImportDeclaration: (node) => visit(node, node.source),
    ExportNamedDeclaration: (node) => visit(node, node.source),
    ExportAllDeclaration: (node) => visit(node, node.source),
    ImportExpression: (node) => visit(node, node.source),
    TSImportType: (node) => visit(node, node.source ?? node.argument?.literal ?? node.argument),
  };
}

/** Imports go one way, see the table of rooms. */
const direction = {
  meta: { type: 'problem', schema: [], messages: { refused: '{{ reason }}.' } },
  create: (context) =>
    onModule((node, specifier) => {
      const target = isRelative(specifier) ? spelled(resolve(dirname(context.filename), specifier)) : undefined;
      const isType = node.type === 'TSImportType' || (node.importKind ?? node.exportKind) === 'type';
      const reason = refusal(spelled(context.filename), target, specifier, isType);
      if (reason) context.report({ node, messageId: 'refused', data: { reason } });
    }),
};

const graph = new Map();

/** The source files that a source file imports, by what is on disk; read again when the file has changed. */
function importsOf(file) {
  if (!existsSync(file)) return [];
  const { mtimeMs } = statSync(file);
  const known = graph.get(file);
  if (known?.mtimeMs === mtimeMs) return known.imports;
  const imports = ts
    .preProcessFile(readFileSync(file, 'utf8'), true, true)
    .importedFiles.map(({ fileName }) => fileName)
    .filter(isRelative)
    .map((specifier) => `${withoutExtension(resolve(dirname(file), specifier))}.ts`);
  graph.set(file, { mtimeMs, imports });
  return imports;
}

/** The way from one file to another along imports, or undefined. */
function path(from, to, seen = new Set()) {
  if (from === to) return [to];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const next of importsOf(from)) {
    const rest = path(next, to, seen);
    if (rest) return [from, ...rest];
  }
  return undefined;
}

/** No file imports itself, however long the way; types count too, since they tie files together as well. */
const noCycle = {
  meta: { type: 'problem', schema: [], messages: { cycle: 'A cycle: {{ way }}.' } },
  create: (context) =>
    onModule((node, specifier) => {
      if (!isRelative(specifier)) return;
      const target = `${withoutExtension(resolve(dirname(context.filename), specifier))}.ts`;
      const way = path(target, context.filename);
      if (!way) return;
      const names = [context.filename, ...way].map(spelled).join(' → ');
      context.report({ node, messageId: 'cycle', data: { way: names } });
    }),
};

/** Files that declare types and nothing that is left at run time. */
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

/** `output$` is an Observable, and what is an Observable is called so. Methods, functions and parameters are free. */
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
      // A Subject or what is built on it may bear the sign too: only what cannot be subscribed to at all may not.
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

/** Each option says what it means, in which unit, and what it is when it is left out. */
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

export default {
  meta: { name: 'runpod-rx' },
  rules: {
    direction,
    'documented-options': documentedOptions,
    'no-cycle': noCycle,
    'observable-property': observableProperty,
    'only-types': onlyTypes,
  },
};
