import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * Which folders of src/ a folder may import. `server` may import all of them, and nobody imports `server`. `tool`, the
 * commands for people, is a client: it has nothing to do with the others.
 */
const MAY_IMPORT = {
  base: [],
  archive: ['base'],
  raft: ['base'],
  cluster: ['base', 'raft'],
  stream: ['base', 'raft'],
  consumer: ['base', 'raft', 'stream'],
  kv: ['base', 'stream'],
  sourcing: ['base', 'raft', 'stream'],
};
const FOLDERS = [...Object.keys(MAY_IMPORT), 'server', 'tool'];

/** Every folder has one door, index.ts (base is a leaf whose files are imported one by one). */
function importDirection(folder, allowed) {
  const forbidden = FOLDERS.filter((other) => other !== folder && !allowed.includes(other));
  const patterns = forbidden.map((other) => ({
    regex: `^(\\.\\./)+${other}/`,
    message: `${folder}/ must not import ${other}/.`,
  }));
  for (const other of allowed.filter((name) => name !== 'base')) {
    patterns.push({ regex: `^(\\.\\./)+${other}/(?!index\\.ts$)`, message: `Import ${other}/ through its index.ts.` });
  }
  return { files: [`src/${folder}/**/*.ts`], rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

export default defineConfig(
  globalIgnores(['dist/', 'node_modules/', 'data/', 'src/cluster/generated/']),
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'describe', 'it'] }] },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['**/*.js'], extends: [tseslint.configs.disableTypeChecked] },
  ...Object.entries(MAY_IMPORT).map(([folder, allowed]) => importDirection(folder, allowed)),
  importDirection('server', Object.keys(MAY_IMPORT)),
  importDirection('tool', ['base']),
  {
    files: ['src/raft/core/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', 'Date', 'process', 'setTimeout', 'setInterval', 'setImmediate', 'performance'],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random' }],
      'no-restricted-syntax': [
        'error',
        { selector: ':function[async=true]', message: 'The core is synchronous.' },
        { selector: 'AwaitExpression', message: 'The core is synchronous.' },
        { selector: 'ImportDeclaration[source.value=/^node:/]', message: 'The core touches nothing of the platform.' },
      ],
    },
  },
);
