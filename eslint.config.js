import js from '@eslint/js';
import rxjs from 'eslint-plugin-rxjs-x';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import house from './scripts/lint/plugin.mjs';

/** All time comes from a scheduler: with these a virtual clock would not see the wait. */
const rawTime = {
  'no-restricted-globals': [
    'error',
    ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'requestAnimationFrame'].map((name) => ({
      name,
      message: 'Take the time from the scheduler.',
    })),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Take the time from the scheduler.' },
    { object: 'performance', property: 'now', message: 'Take the time from the scheduler.' },
  ],
};

/** Names of the past that are public, and therefore stay. The rule `house/old-names` has the list of all. */
const publicOldNames = [
  { name: 'by', file: 'src/errors/JobDeadlineError.ts', why: 'a property of the error' },
  { name: 'left', file: 'src/types/Diagnosis.ts', why: 'a property of Diagnosis' },
  { name: 'EndpointState', file: 'src/emulator/inspect/EmulatorState.ts', why: 'a type of runpod-rx/testing' },
  { name: 'JobRecord', file: 'src/emulator/JobRecord.ts', why: 'a type of runpod-rx/testing' },
];

/** Globals that only some platforms have, where the code runs on no other. */
const platformGlobalsInPlaces = [
  { name: 'TextDecoder', file: 'src/http/transports/fetchTransport.ts', why: 'where fetch gives a stream' },
];

const noDynamicImport = {
  selector: 'ImportExpression',
  message: 'Import statically: a consumer should see at build time what is loaded.',
};

export default defineConfig([
  {
    ignores: [
      'dist/',
      'coverage/',
      'docs/api/',
      'docs/.vitepress/{.temp,cache,dist}/',
      'node_modules/',
      '**/.cache/',
      '.stryker-tmp/',
      'test/e2e/',
      'examples/angular/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    files: ['**/*.ts'],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: true }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // `void` in a union or a type argument says "nothing of interest", as RxJS itself uses it.
      '@typescript-eslint/no-invalid-void-type': 'off',
      // Overloads in their own lines are easier to read and to document than one signature with unions.
      '@typescript-eslint/unified-signatures': 'off',
      // `O` of an endpoint without a schema is the caller's assertion, and stands in one place only.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/consistent-type-definitions': 'off',
      // A function with documentation and members reads better as an interface, whatever it has today.
      '@typescript-eslint/prefer-function-type': 'off',
      // For text, empty is as good as absent.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      // It asks for `!`, which is forbidden.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
    },
  },

  {
    files: ['src/**/*.ts'],
    extends: [rxjs.configs.strict],
    plugins: { house },
    rules: {
      'house/documented-options': 'error',
      'house/hash-privates': 'error',
      'house/old-names': ['error', { public: publicOldNames }],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'no-nested-ternary': 'error',
      // Options: what the user hands in, not what the library offers.
      'house/observable-property': ['error', { except: ['notices', 'concurrency', 'paused'] }],
      'rxjs-x/no-ignored-subscribe': 'error',
      // Every `first()` and `firstValueFrom()` names its default, except where emptiness is itself the error.
      'rxjs-x/no-ignored-default-value': 'off',
      // An error may be of any kind on its way through: callers' errors are passed on as they are.
      'rxjs-x/throw-error': 'off',
      'no-restricted-syntax': ['error', noDynamicImport],
      ...rawTime,
    },
  },
  {
    files: ['src/**/*.ts'],
    // For Node alone.
    ignores: [
      'src/cli/**',
      'src/emulator/server/**',
      // For browsers alone.
      'src/dashboard/**',
      'src/http/transports/{node/**,adapter.node.ts,undici*.ts}',
      // For platforms that have the Fetch API.
      'src/server/**',
      'src/durable/**',
      'src/{bullmq,pg-boss,queues,budget}/**',
    ],
    rules: { 'house/platform-globals': ['error', { except: platformGlobalsInPlaces }] },
  },
  {
    // Bundlers are given another file of the same name.
    files: ['src/**/*.ts'],
    ignores: ['src/http/transports/packages.d.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { paths: [{ name: 'undici', message: 'Import values from #undici.', allowTypeImports: true }] },
      ],
    },
  },
  // State that the client's layers share among themselves; users never see it.
  { files: ['src/{http,polling,endpoint}/**'], rules: { 'rxjs-x/no-exposed-subjects': 'off' } },
  {
    // Where Node or an HTTP library sets the pace.
    files: ['src/emulator/server/**', 'src/cli/**', 'src/http/transports/**', 'src/time/**'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
  },
  {
    files: ['src/operators/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        noDynamicImport,
        { selector: "CallExpression[callee.property.name='subscribe']", message: 'Compose operators instead.' },
      ],
    },
  },
  // Angular's own tokens are abstract classes, and what stands for them are others.
  {
    files: ['src/angular/**', 'test/angular/**'],
    rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' },
  },
  { files: ['src/types/**'], rules: { 'house/only-types': 'error' } },
  {
    files: ['src/protocol/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        noDynamicImport,
        { selector: 'ThrowStatement', message: 'protocol/ throws nothing: return an issue, and let the caller throw.' },
      ],
    },
  },
  {
    // One answer to "what does the front door hold": no code in it.
    files: ['src/**/index.ts', 'src/{undici,fetch}.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        noDynamicImport,
        {
          selector: 'Program > :not(ExportNamedDeclaration[source], ExportAllDeclaration)',
          message: 'Entry points hold exports only.',
        },
      ],
    },
  },

  {
    files: ['test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts', '*.config.ts'],
    rules: {
      // Modules of Nest are classes without members.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // Tests hand in what the types forbid, and look into what a server answered.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
    },
  },
  { files: ['bench/**', 'examples/**'], rules: { 'no-console': 'off' } },

  {
    files: ['**/*.{js,mjs}'],
    extends: [js.configs.recommended],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        performance: 'readonly',
        fetch: 'readonly',
        Request: 'readonly',
        setImmediate: 'readonly',
        AbortController: 'readonly',
        AbortSignal: 'readonly',
        TextDecoder: 'readonly',
      },
    },
    rules: { eqeqeq: ['error', 'always', { null: 'ignore' }] },
  },
  // Functions that run in a page of the browser.
  {
    files: ['scripts/e2e/pages.mjs', 'bench/dashboard.mjs'],
    languageOptions: {
      globals: {
        document: 'readonly',
        addEventListener: 'readonly',
        Event: 'readonly',
        MutationObserver: 'readonly',
      },
    },
  },
  { files: ['examples/*/public/*.js'], languageOptions: { globals: { document: 'readonly' } } },
]);
