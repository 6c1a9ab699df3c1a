import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeProject } from './project.ts';
import { tidy } from './tidy.ts';

/** Reached by the program, so that only what a test plants is found. */
const CLEAN: Readonly<Record<string, string>> = {
  'src/app/main.ts': "import { run } from '../cli/index.ts';\nrun();\n",
  'src/cli/index.ts': "export { run } from './run.ts';\n",
  'src/cli/run.ts':
    "import { fail } from '../base/fail.ts';\n" +
    "import type { Clock } from '../platform/index.ts';\n" +
    'export const run = (clock?: Clock): unknown => fail(clock);\n',
  'src/base/fail.ts': 'export const fail = (value: unknown): unknown => value;\n',
  'src/platform/index.ts': "export type { Clock } from './clock.ts';\n",
  'src/platform/clock.ts': 'export interface Clock {\n  now(): number;\n}\n',
};

function rulesFor(planted: Record<string, string>): string[] {
  const files = new Map(Object.entries({ ...CLEAN, ...planted }));
  const found = tidy(makeProject(files));
  return [...new Set(found.map(({ rule, path, line }) => `${rule} ${path}:${line}`))];
}

/** A module that the program reaches, with `text` in a file of its own. */
function within(path: string, text: string): Record<string, string> {
  const test = path.replace(/\.ts$/, '.test.ts');
  return { [path]: text, [test]: `import './${path.slice(path.lastIndexOf('/') + 1)}';\n` };
}

function finds(rule: string, line: number, planted: Record<string, string>): void {
  const [path] = Object.keys(planted);
  const found = rulesFor(planted);
  assert.ok(found.includes(`${rule} ${path}:${line}`), `${rule} in ${path}, found ${found.join()}`);
}

function accepts(planted: Record<string, string>): void {
  assert.deepEqual(rulesFor(planted), []);
}

it('tidy has nothing to say about a clean tree', () => {
  accepts({});
});

describe('The floors', () => {
  it('forbid importing upwards, also types, re-exports, import() and import types', () => {
    for (const text of [
      "import { run } from '../cli/index.ts';", "import type { Run } from '../cli/index.ts';",
      "export { run } from '../cli/index.ts';", "const cli = import('../cli/index.ts');",
      "type Run = typeof import('../cli/index.ts');",
    ]) {
      finds('floor', 2, within('src/platform/x.ts', `// Planted:\n${text}\n`));
    }
  });

  it('keep modules of one floor apart', () => {
    finds('floor', 1, {
      ...within('src/storage/x.ts', "import '../metadata/index.ts';\n"),
      'src/metadata/index.ts': '',
    });
  });

  it('want a floor for every module', () => {
    finds('floor', 1, within('src/attic/x.ts', ''));
  });

  it('want others to enter by the door, except where there is none', () => {
    finds('door', 1, within('src/storage/x.ts', "import '../platform/clock.ts';\n"));
    accepts(within('src/storage/x.ts', "import '../base/fail.ts';\n"));
  });

  it('want a module to use its own files, not its door', () => {
    finds('door', 1, within('src/platform/x.ts', "import './index.ts';\n"));
  });

  it('let only app name backends, and tests those in memory', () => {
    const backends = {
      'src/storage/backends/s3/s3.ts': '', 'src/storage/backends/memory/memory.ts': '',
    };
    const names = "import '../storage/backends/s3/s3.ts';\n" +
      "import '../storage/backends/memory/memory.ts';\n";
    accepts({ ...within('src/app/x.ts', names), ...backends });
    finds('door', 2, { ...within('src/files/x.ts', names), ...backends });
    const inTest = { 'src/files/y.test.ts': names, ...backends };
    assert.deepEqual(rulesFor(inTest), ['door src/files/y.test.ts:1']);
    const inside = within('src/storage/x.ts', names.replaceAll('../storage/', './'));
    finds('door', 1, { ...inside, ...backends });
  });

  it('notice a file that does not exist', () => {
    finds('import', 1, within('src/platform/x.ts', "import './gone.ts';\n"));
  });

  it('keep packages in their folders, and know all of them', () => {
    finds('package', 1, within('src/files/x.ts', "import Database from 'better-sqlite3';\n"));
    finds('package', 1, within('src/files/x.ts', "import pad from 'left-pad';\n"));
    accepts(within('src/platform/x.ts', "import { pino } from 'pino';\n"));
  });

  it('forbid star exports and default exports', () => {
    finds('export', 1, within('src/platform/x.ts', "export * from './clock.ts';\n"));
    finds('export', 1, within('src/platform/x.ts', 'export default 1;\n'));
    finds('export', 1, within('src/platform/x.ts', 'export default function f() {}\n'));
  });
});

describe('The sizes', () => {
  const linesOf = (count: number, line = ';\n'): string => line.repeat(count);

  it('stop files at 500 lines and suites at 800', () => {
    finds('file-size', 501, within('src/files/x.ts', linesOf(501)));
    accepts(within('src/files/x.ts', linesOf(500)));
    accepts({ 'src/files/x.test.ts': linesOf(800) });
    finds('file-size', 801, { 'src/files/x.test.ts': linesOf(801) });
  });

  it('stop functions at 70 lines, of whatever kind, but not the chapters of a suite', () => {
    const body = linesOf(69, '  f();\n');
    for (const [head, tail] of [
      ['function g() {', '}'], ['const g = () => {', '};'], ['class G { m() {', '} }'],
    ]) {
      finds('function-size', 1, within('src/files/x.ts', `${head}\n${body}${tail}\n`));
    }
    accepts(within('src/files/x.ts', `function g() {\n${body.slice(7)}}\n`));
    accepts({ 'src/files/x.test.ts': `describe('x', () => {\n${body}  it('y', () => {});\n});\n` });
  });

  it('stop lines at 100 columns', () => {
    finds('columns', 1, within('src/files/x.ts', `const a = ${'1 + '.repeat(23)}1;\n`));
    accepts(within('src/files/x.ts', `const a = ${'1 + '.repeat(22)}1;\n`));
  });
});

describe('The names', () => {
  it('of files are in kebab-case and say something', () => {
    finds('file-name', 1, within('src/files/bigFile.ts', ''));
    finds('file-name', 1, within('src/files/file-utils.ts', ''));
    finds('file-name', 1, within('src/files/common/x.ts', ''));
  });

  it('of types follow the house', () => {
    finds('name', 1, within('src/files/x.ts', 'interface IThing {}\n'));
    finds('name', 1, within('src/files/x.ts', 'class ThingImpl {}\n'));
    finds('name', 1, within('src/files/x.ts', 'class ThingManager {}\n'));
    accepts(within('src/files/x.ts', 'interface Item {}\ninterface ID {}\n'));
  });
});

describe('The places', () => {
  it('of time, chance and environment are in the platform', () => {
    const planted = {
      'Date.now();': 'clock', 'new Date();': 'clock', 'performance.now();': 'clock',
      'setTimeout(f, 1);': 'clock', 'setInterval(f, 1);': 'clock',
      "import { setTimeout } from 'node:timers/promises';": 'clock',
      'Math.random();': 'chance', 'process.env.HOME;': 'environment',
    };
    for (const [text, rule] of Object.entries(planted)) {
      finds(rule, 1, within('src/files/x.ts', `${text}\n`));
      if (rule !== 'environment') accepts(within('src/platform/x.ts', `${text}\n`));
    }
    finds('environment', 1, within('src/platform/x.ts', 'process.env.HOME;\n'));
    accepts(within('src/platform/config/x.ts', 'process.env.HOME;\n'));
    accepts(within('src/files/x.ts', 'new Date(5);\nclock.now();\n'));
  });

  it('of HTTP is the platform, beside its types', () => {
    for (const text of ["import http from 'node:http';", "import { request } from 'node:http';"]) {
      finds('http', 1, within('src/files/x.ts', `${text}\n`));
      accepts({ 'src/files/x.test.ts': `${text}\n` });
    }
    accepts(within('src/files/x.ts', "import type { Server } from 'node:http';\n"));
  });

  it('of SQL are stores', () => {
    for (const text of ['SELECT a FROM b', 'insert or ignore into a values (1)', 'PRAGMA x = 1']) {
      finds('sql', 1, within('src/files/x.ts', `const q = '${text}';\n`));
      finds('sql', 1, within('src/files/x.ts', `const q = \`${text} \${a}\`;\n`));
      accepts({
        'src/files/x.test.ts': "import './stores/sqlite/y.ts';\n",
        'src/files/stores/sqlite/y.ts': `const q = '${text}';\n`,
      });
    }
    accepts(within('src/files/x.ts', "const t = 'Select a file from the list';\n"));
  });
});

describe('The search for dead files', () => {
  it('finds a file that nothing reaches', () => {
    finds('dead-file', 1, { 'src/platform/attic.ts': '' });
    finds('dead-file', 1, { 'test/support/attic.ts': '' });
  });

  it('follows workers named by a string, and tools named by scripts', () => {
    accepts({
      ...within('src/storage/x.ts', "new Worker(new URL('./worker.ts', import.meta.url));\n"),
      'src/storage/worker.ts': '',
      'tools/bench/main.ts': "start('tools/page.ts');\n",
      'tools/page.ts': '',
      'package.json': '{"scripts":{"bench":"node tools/bench/main.ts"}}',
    });
  });
});

describe('The wording', () => {
  const open = ['TO', 'DO'].join('');

  it('wants a number with every open end', () => {
    finds('open-end', 1, within('src/files/x.ts', `// ${open}: later\n`));
    finds('open-end', 2, { 'docs/x.md': `\n${open} later\n` });
    accepts(within('src/files/x.ts', `// ${open}(#12): later\n`));
  });

  it('wants no test to stand alone or be passed over without a reason', () => {
    for (const text of [
      'it.only();', 'describe.skip();', "it('x', { only: true }, f);", 'test.todo();',
    ]) {
      finds('focus', 1, { 'src/files/x.test.ts': `${text}\n` });
    }
    accepts({ 'src/files/x.test.ts': "it('x', { skip: 'no such disk here' }, f);\n" });
  });

  it('wants no word of the workplace, in code or documents', () => {
    const words = [['/wo', 'rk/main'], ['an LL', 'M'], ['Cla', 'ude']];
    for (const text of words.map((parts) => parts.join(''))) {
      finds('workplace', 1, within('src/files/x.ts', `// ${text}\n`));
      finds('workplace', 1, { 'docs/x.md': `${text}\n` });
    }
  });
});
