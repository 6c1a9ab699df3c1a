import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import install from './install.cjs';

const HERE = import.meta.dirname;
let scratch = '';
before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'holdfast-launcher-'));
});
after(() => rmSync(scratch, { recursive: true }));

function put(path, content, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, mode);
}

describe('whyInstall', () => {
  let root = '';
  const pino = { version: '1.0.0', integrity: 'sha512-a' };
  const lint = { version: '2.0.0', integrity: 'sha512-b', dev: true };
  const foreign = { version: '1.0.0', optional: true, os: ['aix'], bin: { node: 'bin/node' } };
  const wanted = {
    '': { name: 'x' }, 'node_modules/pino': pino, 'node_modules/lint': lint,
    'node_modules/node-aix': foreign,
  };
  const lock = (packages) => JSON.stringify({ packages });
  beforeEach(() => {
    root = mkdtempSync(join(scratch, 'root-'));
    put(join(root, 'package-lock.json'), lock(wanted));
  });
  const present = (packages) => {
    put(join(root, 'node_modules/.package-lock.json'), lock(packages));
    for (const folder of Object.keys(packages)) put(join(root, folder, 'package.json'), '{}');
  };

  it('finds nothing to do when all production packages are there', () => {
    present({ 'node_modules/pino': pino });
    assert.equal(install.whyInstall(root, { withDev: false }), undefined);
    assert.match(install.whyInstall(root, { withDev: true }), /lint is missing/);
  });

  it('finds a fresh clone, another version, other content, and a folder somebody removed', () => {
    const why = () => install.whyInstall(root, { withDev: false });
    assert.match(why(), /nothing is installed/);
    present({ 'node_modules/pino': { ...pino, version: '0.9.0' } });
    assert.match(why(), /another version/);
    present({ 'node_modules/pino': { ...pino, integrity: 'sha512-c' } });
    assert.match(why(), /another version/);
    present({ 'node_modules/pino': pino });
    rmSync(join(root, 'node_modules/pino'), { recursive: true });
    assert.match(why(), /pino is gone/);
  });

  it('misses the bundled Node of this platform', () => {
    const os = process.platform;
    const runtime = { ...foreign, os, cpu: process.arch };
    put(join(root, 'package-lock.json'), lock({ ...wanted, 'node_modules/node-here': runtime }));
    present({ 'node_modules/pino': pino });
    assert.match(install.whyInstall(root, { withDev: false }), /bundled Node/);
  });
});

describe('./holdfast', () => {
  let root = '';
  const run = (path, env = { PATH: '/usr/bin:/bin' }) => {
    const { status, stdout, stderr } = spawnSync(path, ['a b', 'c'], { env, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  beforeEach(() => {
    root = mkdtempSync(join(scratch, 'home with space-'));
    copyFileSync(join(HERE, '..', 'holdfast'), join(root, 'holdfast'));
    mkdirSync(join(root, 'node_modules/pino'), { recursive: true });
  });
  const fakeNode = (folder, version) => {
    const script = `#!/bin/sh\nif [ "$1" = -p ]; then echo ${version}; exit; fi\n` +
      'printf "%s|" "$@"\nexit 7\n';
    put(join(folder, 'node'), script, 0o755);
  };

  it('runs the bundled Node, with every argument, also through a link', () => {
    fakeNode(join(root, 'node_modules/.bin'), '26.0.0');
    symlinkSync('holdfast', join(root, 'link'));
    for (const path of [join(root, 'holdfast'), join(root, 'link')]) {
      const { status, stdout } = run(path);
      assert.equal(status, 7);
      assert.match(stdout, /home with space-[^|]*\/src\/app\/main\.ts\|a b\|c\|$/);
    }
  });

  it('takes a new enough Node from the PATH, and refuses an older one with advice', () => {
    const bin = join(root, 'elsewhere');
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    for (const version of ['24.7.0', '25.0.1', '26.10.0']) {
      fakeNode(bin, version);
      assert.equal(run(join(root, 'holdfast'), env).status, 7, version);
    }
    for (const version of ['20.20.2', '24.6.9', '8.0.0']) {
      fakeNode(bin, version);
      const { status, stderr } = run(join(root, 'holdfast'), env);
      assert.equal(status, 69, version);
      assert.match(stderr, /needs Node 24\.7 or newer.*npm ci/s);
    }
  });

  it('says how to install when nothing is installed', () => {
    rmSync(join(root, 'node_modules'), { recursive: true });
    const { status, stderr } = run(join(root, 'holdfast'));
    assert.equal(status, 69);
    assert.match(stderr, /npm ci --omit=dev/);
  });
});

describe('The launcher', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(scratch, 'launch-'));
    for (const name of [
      'start.cjs', 'launch.cjs', 'install.cjs', 'web.cjs', 'require-node.cjs', 'with-tools.cjs',
    ]) {
      put(join(root, 'launcher', name), readFileSync(join(HERE, name)));
    }
    put(join(root, 'package-lock.json'), '{"packages":{}}');
    put(join(root, 'node_modules/.package-lock.json'), '{"packages":{}}');
  });

  it('starts ./holdfast serve with its arguments and ends with its exit code', () => {
    put(join(root, 'holdfast'), '#!/bin/sh\necho "$@"\nexit 5\n', 0o755);
    const start = join(root, 'launcher/start.cjs');
    const { status, stdout } = spawnSync(process.execPath, [start, '--data', 'x y']);
    assert.equal(status, 5);
    assert.equal(stdout.toString(), 'serve --data x y\n');
  });

  it('builds the web page once, again when its sources changed, and serves without it', () => {
    put(join(root, 'holdfast'), '#!/bin/sh\necho served\n', 0o755);
    put(join(root, 'web/vite.config.ts'), '');
    put(join(root, 'web/src/a.ts'), 'one');
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    put(vite, 'fs = require("fs"); fs.mkdirSync(".dist-next"); ' +
      'fs.writeFileSync(".dist-next/index.html", fs.readFileSync("src/a.ts"));');
    const start = () => {
      const { stdout, stderr } = spawnSync(process.execPath, [join(root, 'launcher/start.cjs')]);
      assert.equal(stdout.toString(), 'served\n');
      return stderr.toString();
    };
    const page = () => readFileSync(join(root, 'web/dist/index.html'), 'utf8');
    assert.match(start(), /Building the web page for the first time.* done in \d+ s/);
    assert.equal(page(), 'one');
    assert.equal(start(), '');
    put(join(root, 'web/src/a.ts'), 'two');
    assert.match(start(), /anew, since its sources changed/);
    assert.equal(page(), 'two');
    put(vite, 'console.error("no such thing"); process.exit(1);');
    put(join(root, 'web/src/a.ts'), 'three');
    assert.match(start(), /failed.\nno such thing\nThe one that was built before/);
    assert.equal(page(), 'two');
    put(vite, '');
    assert.match(start(), /failed.\nThe web page could not be built: ENOENT/);
    assert.equal(page(), 'two');
  });

  it('passes signals on', async () => {
    const script = `#!/bin/sh\ntrap 'echo asked; exit 9' TERM\necho up\nwhile :; do sleep 0.05; done\n`;
    put(join(root, 'holdfast'), script, 0o755);
    const child = spawn(process.execPath, [join(root, 'launcher/start.cjs')]);
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      if (said === 'up\n') child.kill('SIGTERM');
    });
    const [code] = await once(child, 'close');
    assert.deepEqual([code, said], [9, 'up\nasked\n']);
  });

  it('installs first when it must, without touching development packages, and says so', () => {
    const bin = join(root, 'fake-bin');
    put(join(bin, 'npm'), `#!/bin/sh\necho "$@" >> '${root}/npm-calls'\n`, 0o755);
    put(join(root, 'holdfast'), '#!/bin/sh\necho served\n', 0o755);
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const calls = () => readFileSync(join(root, 'npm-calls'), 'utf8').split('\n').at(-2) ?? '';
    const start = () => spawnSync(process.execPath, [join(root, 'launcher/start.cjs')], { env });
    rmSync(join(root, 'node_modules'), { recursive: true });
    const { stdout, stderr } = start();
    assert.equal(stdout.toString(), 'served\n');
    assert.match(stderr.toString(), /Installing what Holdfast needs.* done in \d+ s/);
    assert.match(calls(), /^ci .*--omit=dev/);
    const lint = { version: '1.0.0', dev: true };
    const here = JSON.stringify({ packages: { 'node_modules/lint': lint } });
    put(join(root, 'node_modules/.package-lock.json'), here);
    put(join(root, 'package-lock.json'), '{"packages":{"node_modules/pino":{"version":"1.0.0"}}}');
    start();
    assert.match(calls(), /^ci (?!.*--omit)/);
  });

  it('shows what npm said when the installation fails, and starts nothing', () => {
    const bin = join(root, 'fake-bin');
    const npm = '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "no network" >&2\nexit 1\n';
    put(join(bin, 'npm'), npm, 0o755);
    put(join(root, 'holdfast'), '#!/bin/sh\necho served\n', 0o755);
    rmSync(join(root, 'node_modules'), { recursive: true });
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const start = join(root, 'launcher/start.cjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [start], { env });
    assert.deepEqual([status, stdout.toString()], [69, '']);
    assert.match(stderr.toString(), /no network[^]*installation failed/);
  });

  for (const name of ['start.cjs', 'with-tools.cjs', 'require-node.cjs']) {
    it(`${name} uses no syntax that an old Node cannot read`, () => {
      const text = readFileSync(join(HERE, name), 'utf8').replace(/^\s*\/\/.*$/gm, '');
      assert.doesNotMatch(text, /=>|\b(const|let|class|async|await|import)\b|`|\?\.|\?\?|\.\.\./);
    });
  }
});
