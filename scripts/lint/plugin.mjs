/** Lint rules of this repository. Who may import whom is in .dependency-cruiser.mjs. */

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
    'documented-options': documentedOptions,
    'observable-property': observableProperty,
    'only-types': onlyTypes,
  },
};
