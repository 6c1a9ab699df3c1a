import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runChild } from './child.ts';
import { missingPackages } from './programs.ts';
import { exitCodeOf, verdict } from './tally.ts';
import { ROOT, filesOf, unitTests } from './checks.ts';
import { LONG_FILES, runSuiteFiles, suiteFiles } from './suites.ts';
import { lineOf, runQuickFiles, runTestFile } from './test-file.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-running-'));
});
after(async () => {
  await rm(root, { recursive: true });
});

async function plant(name: string, body: string): Promise<string> {
  const head = "import { describe, it, before } from 'node:test';\n";
  await writeFile(join(root, name), head + body);
  return name;
}

describe('runTestFile', () => {
  const run = async (name: string, body: string, timeoutMs = 20_000) => {
    return runTestFile(await plant(name, body), { root, timeoutMs });
  };

  it('counts single tests, not suites', async () => {
    const { tally, complaint } = await run('good.test.mjs', `
      describe('a', () => { it('b', () => {}); it('c', () => {}); describe('d', () => {
        it('e', () => {}); it('f', { skip: 'no such disk' }, () => {}); }); });
    `);
    assert.deepEqual([tally, complaint], [{ passed: 3, failed: 0, skipped: 1 }, undefined]);
  });

  it('counts a failure, also of a hook', async () => {
    const { tally } = await run('bad.test.mjs', `
      describe('a', () => { it('b', () => {}); it('c', () => { throw new Error('no'); }); });
      describe('d', () => { before(() => { throw new Error('no'); }); it('e', () => {}); });
    `);
    assert.deepEqual(tally, { passed: 1, failed: 2, skipped: 0 });
  });

  it('counts a file that hangs as a failure beside what passed, and ends it', async () => {
    const { tally, complaint } = await run('hangs.test.mjs', `
      it('a', () => {});
      it('b', () => new Promise(() => { setInterval(() => {}, 1000); }));
    `, 700);
    assert.ok(tally.failed >= 1);
    assert.match(complaint ?? '', /still running after 0\.7 s/);
  });

  it('counts a rejection that nobody awaits as a failure, and shows its place', async () => {
    const { tally, complaint, end } = await run('floats.test.mjs', `
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      it('a', async () => {
        void (async function floating() { await pause(5); throw new Error('lost'); })();
        await pause(50);
      });
    `);
    assert.deepEqual([tally.failed, complaint], [1, 'ended with code 1']);
    assert.match(end.output, /nobody awaited: Error: lost\n\s+at floating/);
  });

  it('counts a rejection behind the last test as a failure', async () => {
    const { tally } = await run('late.test.mjs', `
      it('a', () => {});
      setTimeout(() => { void Promise.reject(new Error('lost')); }, 300);
    `);
    assert.equal(tally.failed, 1);
  });

  it('lays an error of a timer at its test', async () => {
    const { tally, complaint } = await run('timers.test.mjs', `
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      it('a', async () => { setTimeout(() => { throw new Error('lost'); }, 5); await pause(50); });
    `);
    assert.deepEqual([tally, complaint], [{ passed: 0, failed: 1, skipped: 0 }, undefined]);
  });

  it('watches no promises, nor hinders hooks that do', async () => {
    const { tally, end } = await run('promises.test.mjs', `
      import hooks from 'node:async_hooks';
      import assert from 'node:assert/strict';
      it('a', async () => { await null; assert.equal(hooks.executionAsyncId(), 0); });
      it('b', async () => {
        let made = 0;
        const init = (id, type) => { if (type === 'PROMISE') made += 1; };
        const hook = hooks.createHook({ init }).enable();
        await null;
        hook.disable();
        assert.ok(made > 0);
      });
    `);
    assert.equal(tally.passed, 2, end.output);
  });

  it('counts a file that dies, or holds no tests, as a failure', async () => {
    const died = await run('dies.test.mjs', `it('a', () => { process.kill(process.pid, 9); });`);
    assert.equal(died.tally.failed, 1);
    const broken = await run('broken.test.mjs', 'this is not a program');
    assert.ok(broken.tally.failed >= 1);
    const empty = await run('empty.test.mjs', '');
    assert.deepEqual([empty.tally.failed, empty.complaint], [1, 'holds no tests']);
    assert.match(lineOf(empty), /^FAIL empty\.test\.mjs: 0 passed, 1 FAILED, holds no tests/);
  });
});

it('runQuickFiles adds up, and shows all of what failed', async () => {
  const lines: string[] = [];
  const paths = [
    await plant('one.test.mjs', "it('a', () => {});"),
    await plant('two.test.mjs', "it('b', () => { throw new Error('so broken'); });"),
  ];
  const print = (line: string): void => void lines.push(line);
  const tally = await runQuickFiles(paths, { root, timeoutMs: 20_000, print });
  assert.deepEqual(tally, { passed: 1, failed: 1, skipped: 0 });
  assert.match(lines.join('\n'), /so broken/);
});

it('runSuiteFiles runs some at a time, each lane with ports of its own', async () => {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  // Each waits until the other has begun: one after the other, they would never end.
  const body = `
    import { existsSync, writeFileSync } from 'node:fs';
    const port = process.env['TEST_PORTS'];
    it('meets the other', async () => {
      writeFileSync(\`begun-\${port}\`, '');
      while (!existsSync('begun-10000') || !existsSync('begun-11000')) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });`;
  const files = [await plant('here.test.mjs', body), await plant('there.test.mjs', body)]
    .map((path) => ({ path, timeoutMs: 60_000 }));
  const results = await runSuiteFiles(files, { root, print, laneCount: 2 });
  assert.deepEqual(results.map(({ tally }) => tally.passed), [1, 1], lines.join('\n'));
});

describe('what is run', () => {
  it('is every test file there is, once', async () => {
    const all = await filesOf(ROOT, ['**/*.test.ts', '**/*.test.mjs']);
    const suites = (await suiteFiles(ROOT, [])).map(({ path }) => path);
    const units = await unitTests(ROOT);
    assert.deepEqual(all.filter((path) => !suites.includes(path) && !units.includes(path)), []);
    assert.equal(new Set([...suites, ...units]).size, suites.length + units.length);
  });

  it('begins with the longest, all of which are there', async () => {
    const paths = (await suiteFiles(ROOT, [])).map(({ path }) => path);
    const seconds = Object.values(LONG_FILES).sort((a, b) => b - a);
    assert.deepEqual(paths.slice(0, seconds.length).map((path) => LONG_FILES[path]), seconds);
  });
});

describe('runChild', () => {
  it('tells the exit code, the output, and that a program is missing', async () => {
    const options = { cwd: root, timeoutMs: 20_000 };
    const good = await runChild('sh', ['-c', 'echo out; echo err >&2; exit 3'], options);
    assert.deepEqual([good.code, good.output.split('\n').sort()], [3, ['', 'err', 'out']]);
    assert.equal((await runChild('no-such-program', [], options)).code, 127);
  });

  it('ends what overstays, with all it has started', async () => {
    const script = 'sleep 60 & echo $!; wait';
    const { code, isTimedOut, output } = await runChild('sh', ['-c', script], {
      cwd: root, timeoutMs: 300,
    });
    assert.deepEqual([code, isTimedOut], [124, true]);
    // In a container nobody may collect the dead: a zombie is as good as gone.
    const ps = await runChild('ps', ['-o', 'stat=', '-p', output.trim()], {
      cwd: root, timeoutMs: 10_000,
    });
    assert.match(ps.output, /^(Z.*)?\s*$/);
  });
});

it('missingPackages looks for programs on the path', async () => {
  assert.ok(missingPackages('/nowhere').includes('litmus'));
  const bin = join(root, 'bin');
  await mkdir(bin);
  await writeFile(join(bin, 'litmus'), '');
  await chmod(join(bin, 'litmus'), 0o755);
  assert.ok(!missingPackages(`/nowhere:${bin}`).includes('litmus'));
});

it('the verdict is good only when something passed and nothing failed', () => {
  assert.equal(verdict({ passed: 3, failed: 0, skipped: 1 }), '3 passed, 0 failed');
  const codes = [[3, 0], [3, 1], [0, 0], [0, 1]].map(([passed = 0, failed = 0]) => {
    return exitCodeOf({ passed, failed, skipped: 5 });
  });
  assert.deepEqual(codes, [0, 1, 1, 1]);
});
