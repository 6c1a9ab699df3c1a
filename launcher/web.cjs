/** Builds the web page, and only when its sources are not those that it was built from. */
'use strict';

const { spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const {
  existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync,
} = require('node:fs');
const { join, relative } = require('node:path');

const TICK_MS = 2000;
const BUILD_MS_MAX = 10 * 60_000;
/** Folders whose files become part of the page. */
const SOURCES = ['web', 'src/wire'];
const NOT_SOURCES = new Set(['dist', '.dist-next', 'node_modules']);
const NOT_BUILT = /\.(test\.ts|md)$/;

function filesBelow(root, folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_SOURCES.has(entry.name) ? [] : filesBelow(root, path);
    return NOT_BUILT.test(path) ? [] : [relative(root, path)];
  });
}

/** One word for all that the page is made of, the versions of packages included. */
function sourcesHash(root) {
  const hash = createHash('sha256');
  const paths = SOURCES.flatMap((folder) => filesBelow(root, join(root, folder)));
  for (const path of [...paths, 'package-lock.json'].sort()) {
    const content = readFileSync(join(root, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function builtFrom(root) {
  const mark = join(root, 'web', 'dist', 'built-from');
  return existsSync(mark) ? readFileSync(mark, 'utf8') : undefined;
}

/** Resolves with what the build printed when it failed, and with undefined when it did not. */
function build(root, print) {
  const bundled = join(root, 'node_modules', '.bin', 'node');
  const program = existsSync(bundled) ? bundled : process.execPath;
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = [vite, 'build', '--outDir', '.dist-next', '--emptyOutDir', '--logLevel', 'warn'];
  const child = spawn(program, args, {
    cwd: join(root, 'web'), stdio: ['ignore', 'pipe', 'pipe'], timeout: BUILD_MS_MAX,
  });
  const stop = (signal) => {
    child.kill(signal);
    process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, stop);
  let said = '';
  const listen = (chunk) => {
    said = (said + chunk).slice(-4000);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const ticking = setInterval(() => print('.'), TICK_MS);
  return new Promise((done) => {
    child.on('error', (error) => done(error.message));
    child.on('close', (code) => done(code === 0 ? undefined : said.trim() || `exit ${code}`));
  }).finally(() => {
    clearInterval(ticking);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, stop);
  });
}

/**
 * Answers whether the page is there and up to date. A build that fails leaves what was there, and
 * nothing that goes wrong is thrown, such as a folder that cannot be written: a server always
 * starts. Whoever calls decides whether that is good enough.
 */
async function ensureWeb(root, print = (text) => process.stderr.write(text)) {
  try {
    return await ensureBuilt(root, print);
  } catch (error) {
    print(` failed.\nThe web page could not be built: ${error.message}\n`);
    return false;
  }
}

async function ensureBuilt(root, print) {
  if (!existsSync(join(root, 'web', 'vite.config.ts'))) return false;
  const wanted = sourcesHash(root);
  const present = builtFrom(root);
  if (present === wanted) return true;
  const why = present === undefined ? 'for the first time' : 'anew, since its sources changed';
  print(`Building the web page ${why} ...`);
  const startedMs = Date.now();
  const fault = await build(root, print);
  const next = join(root, 'web', '.dist-next');
  if (fault !== undefined) {
    rmSync(next, { recursive: true, force: true });
    const instead = present === undefined ? 'Only the pages without it will be served.'
      : 'The one that was built before will be served.';
    print(` failed.\n${fault}\n${instead}\n`);
    return false;
  }
  writeFileSync(join(next, 'built-from'), wanted);
  const dist = join(root, 'web', 'dist');
  rmSync(dist, { recursive: true, force: true });
  renameSync(next, dist);
  print(` done in ${Math.round((Date.now() - startedMs) / 1000)} s.\n`);
  return true;
}

module.exports = { ensureWeb, sourcesHash };
