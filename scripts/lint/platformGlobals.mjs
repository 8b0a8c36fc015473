/**
 * What runs on every platform uses only globals that every platform has: Node, Bun, Deno, workerd, edge runtimes, browsers of
 * the last three years, jsdom and React Native. Others are looked up on `globalThis`, where a missing one is `undefined`, and
 * the code copes with that.
 */
import { runInNewContext } from 'node:vm';
import { namedExceptions } from './namedExceptions.mjs';

const language = runInNewContext('Object.getOwnPropertyNames(globalThis)');
const platform = ['AbortController', 'URL', 'URLSearchParams', 'performance'];
const everywhere = new Set([...language, ...platform, 'arguments', 'const']);

/** Newer members of globals that are older. The compiler knows those of the language, by `lib` in tsconfig.json. */
const newerMembers = {
  AbortSignal: ['any', 'timeout'],
  Response: ['json'],
  URL: ['canParse', 'createObjectURL', 'parse'],
};

/** @type {import('eslint').Rule.RuleModule} */
export const platformGlobals = {
  meta: {
    type: 'problem',
    schema: namedExceptions('except'),
    messages: {
      global: "'{{ name }}' is missing on some platforms: look it up on globalThis, and do without it.",
      member: "'{{ name }}' is missing on some platforms.",
    },
  },
  create: (context) => {
    const file = context.filename.replaceAll('\\', '/');
    const excepted = (context.options[0]?.except ?? []).filter((entry) => file.endsWith(`/${entry.file}`));
    const allowed = (name) => everywhere.has(name) || excepted.some((entry) => entry.name === name);
    const isGlobal = ({ resolved }) => !resolved || resolved.defs.length === 0;
    const check = ({ identifier: node }) => {
      const { name, parent } = node;
      if (parent.type === 'UnaryExpression' && parent.operator === 'typeof') return;
      if (!allowed(name)) context.report({ node, messageId: 'global', data: { name } });
      const member = parent.type === 'MemberExpression' && parent.object === node ? parent.property.name : undefined;
      if (Object.hasOwn(newerMembers, name) && newerMembers[name].includes(member))
        context.report({ node: parent, messageId: 'member', data: { name: `${name}.${member}` } });
    };
    return {
      'Program:exit': () => {
        const references = context.sourceCode.scopeManager.scopes.flatMap((scope) => scope.references);
        for (const reference of references) if (reference.isValueReference && isGlobal(reference)) check(reference);
      },
    };
  },
};
