/** Rules that need to know types, and the few others that have caught real faults. Style that only
 *  pleases the eye is left to people. */
import tseslint from 'typescript-eslint';

const ENTRY_POINTS = ['src/**/*.ts', 'test/**/*.ts', 'tools/**/*.ts', 'wire/**/*.ts'];

const WEB = ['web/**/*.ts', 'web/**/*.tsx'];

export default tseslint.config({
  files: [...ENTRY_POINTS, ...WEB],
  plugins: { '@typescript-eslint': tseslint.plugin },
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: {
      project: ['./tsconfig.json', './web/tsconfig.json'], tsconfigRootDir: import.meta.dirname,
    },
  },
  linterOptions: { reportUnusedDisableDirectives: 'error' },
  rules: {
    // Promises: a forgotten one is an acknowledgement before the data is safe.
    // node:test calls answer promises that the runner awaits by itself.
    '@typescript-eslint/no-floating-promises': ['error', {
      allowForKnownSafeCalls: [
        { from: 'package', package: 'node:test', name: ['it', 'describe', 'test', 'suite'] },
      ],
    }],
    '@typescript-eslint/no-misused-promises': 'error',
    '@typescript-eslint/await-thenable': 'error',
    '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
    '@typescript-eslint/prefer-promise-reject-errors': 'error',
    '@typescript-eslint/only-throw-error': ['error', {
      allowThrowingUnknown: true, allowThrowingAny: false,
    }],
    'no-async-promise-executor': 'error',
    'no-unsafe-finally': 'error',
    // Types that say less than they seem to.
    '@typescript-eslint/no-explicit-any': 'error',
    '@typescript-eslint/no-unsafe-assignment': 'error',
    '@typescript-eslint/no-unsafe-argument': 'error',
    '@typescript-eslint/no-unsafe-call': 'error',
    '@typescript-eslint/no-unsafe-member-access': 'error',
    '@typescript-eslint/no-unsafe-return': 'error',
    '@typescript-eslint/no-non-null-assertion': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': ['error', {
      considerDefaultExhaustiveForUnions: true,
    }],
    '@typescript-eslint/restrict-plus-operands': 'error',
    '@typescript-eslint/no-base-to-string': 'error',
    '@typescript-eslint/unbound-method': 'error',
    '@typescript-eslint/no-for-in-array': 'error',
    '@typescript-eslint/no-array-delete': 'error',
    '@typescript-eslint/no-implied-eval': 'error',
    '@typescript-eslint/ban-ts-comment': 'error',
    // Comparisons and control flow.
    eqeqeq: 'error',
    'no-empty': 'error',
    'no-fallthrough': 'error',
    'no-self-compare': 'error',
    'no-unsafe-optional-chaining': 'error',
    'no-constant-condition': ['error', { checkLoops: 'allExceptWhileTrue' }],
    'no-param-reassign': 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'no-control-regex': 'off',
    'max-params': ['error', { max: 4 }],
    complexity: ['error', { max: 20 }],
  },
}, { ignores: ['web/dist/**', 'web/.dist-next/**'] }, {
  // Every answer that these read was held against the OpenAPI document before they see it, which
  // knows its shape better than a type written beside the test could.
  files: ['src/protocols/rest/**/*.test.ts', 'src/protocols/rest/testing/**/*.ts'],
  rules: {
    '@typescript-eslint/no-explicit-any': 'off',
    '@typescript-eslint/no-unsafe-assignment': 'off',
    '@typescript-eslint/no-unsafe-argument': 'off',
    '@typescript-eslint/no-unsafe-call': 'off',
    '@typescript-eslint/no-unsafe-member-access': 'off',
    '@typescript-eslint/no-unsafe-return': 'off',
  },
});
