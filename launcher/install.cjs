/** Brings node_modules in line with package-lock.json, and only when it is not. */
'use strict';

const { spawn, spawnSync } = require('node:child_process');
const { existsSync, readFileSync } = require('node:fs');
const { delimiter, join, resolve } = require('node:path');

const EXIT_UNAVAILABLE = 69;
const TICK_MS = 2000;

/** The packages by folder; undefined when there is no such file, or half of one. */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Why an installation is needed, or undefined when it is not.
 *
 * npm writes node_modules/.package-lock.json last, so it tells what is there in full. Optional
 * packages may be absent: npm leaves out those of other platforms.
 */
function whyInstall(root, { withDev }) {
  const wanted = readPackages(join(root, 'package-lock.json'));
  if (wanted === undefined) throw new Error('package-lock.json is missing or damaged');
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (present === undefined) return 'nothing is installed yet';
  for (const [folder, { version, integrity, dev, devOptional, optional }] of Object.entries(wanted)) {
    if (folder === '' || ((dev || devOptional) && !withDev)) continue;
    const found = present[folder];
    if (found === undefined && optional) continue;
    if (found === undefined) return `${folder} is missing`;
    const isSame = found.version === version && found.integrity === integrity;
    if (!isSame) return `${folder} has another version`;
    if (!existsSync(join(root, folder, 'package.json'))) return `${folder} is gone`;
  }
  return hasRuntime(root, wanted) ? undefined : 'the bundled Node is missing';
}

/** Whether the Node that npm would install for this platform is there. */
function hasRuntime(root, wanted) {
  const isOurs = ({ bin, os, cpu }) =>
    bin?.node !== undefined && [os].flat().includes(process.platform) &&
    [cpu].flat().includes(process.arch);
  const hasOne = Object.values(wanted).some(isOurs);
  return !hasOne || existsSync(join(root, 'node_modules', '.bin', 'node'));
}

/** Whether development packages are there, which an installation must not remove. */
function hasDev(root) {
  const present = readPackages(join(root, 'node_modules', '.package-lock.json')) ?? {};
  return Object.values(present).some(({ dev }) => dev === true);
}

/** npm must not run on the very Node that it is about to replace. */
function environmentForNpm(root) {
  const own = resolve(root, 'node_modules', '.bin');
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => resolve(folder) !== own);
  return { ...process.env, PATH: path.join(delimiter) };
}

function fail(lines) {
  console.error(lines.join('\n'));
  process.exit(EXIT_UNAVAILABLE);
}

/** Installs when needed; ends the process, with advice, when that fails. */
async function ensureInstalled(root, { withDev }) {
  const reason = whyInstall(root, { withDev });
  if (reason === undefined) return;
  const env = environmentForNpm(root);
  if (spawnSync('npm', ['--version'], { env }).status !== 0) {
    fail(['npm is needed to install Holdfast and cannot be run. On Debian: apt-get install npm']);
  }
  const args = ['ci', '--no-fund', '--no-audit', '--ignore-scripts', '--loglevel=error'];
  if (!withDev && !hasDev(root)) args.push('--omit=dev');
  process.stderr.write(`Installing what Holdfast needs, since ${reason}; this takes a minute ...`);
  const startedMs = Date.now();
  const npm = spawn('npm', args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = (signal) => npm.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  let said = '';
  const listen = (chunk) => {
    said = (said + chunk).slice(-8000);
  };
  npm.stdout.on('data', listen);
  npm.stderr.on('data', listen);
  const ticking = setInterval(() => process.stderr.write('.'), TICK_MS);
  const code = await new Promise((done) => {
    npm.on('error', () => done(1));
    npm.on('close', (exitCode) => done(exitCode ?? 1));
  });
  clearInterval(ticking);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, stop);
  if (code !== 0) {
    const advice = 'Check the network (or the registry that npm is set to), then run this again.';
    fail([' failed.', said.trim(), `\nThe installation failed: npm ${args.join(' ')}`, advice]);
  }
  process.stderr.write(` done in ${Math.round((Date.now() - startedMs) / 1000)} s.\n`);
}

module.exports = { ensureInstalled, whyInstall };
