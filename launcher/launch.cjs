/** Starts the program, or a tool, and stands in for it: signals go in, the exit code comes out. */
'use strict';

const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const { constants } = require('node:os');
const { join, resolve } = require('node:path');
const { ensureInstalled } = require('./install.cjs');
const { ensureWeb } = require('./web.cjs');

const ROOT = resolve(__dirname, '..');
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** Stays until the child ends. The child is in our process group: whoever signals the whole group
 *  reaches it without us, as a terminal does on Ctrl-C. */
function standInFor(program, args) {
  let child;
  // Before the child is there: a signal in between would end us and leave the child alone. Handlers
  // run on a later turn, when it is.
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const cameFromTerminal = signal === 'SIGINT' && process.stdin.isTTY === true;
      if (!cameFromTerminal) child.kill(signal);
    });
  }
  child = spawn(program, args, { cwd: ROOT, stdio: 'inherit' });
  child.on('error', (error) => {
    console.error(`Cannot run ${program}: ${error.message}`);
    process.exit(69);
  });
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 1));
  });
}

async function start(args) {
  await ensureInstalled(ROOT, { withDev: false });
  await ensureWeb(ROOT);
  standInFor(join(ROOT, 'holdfast'), ['serve', ...args]);
}

async function runTool([tool, ...args]) {
  await ensureInstalled(ROOT, { withDev: true });
  const bundled = join(ROOT, 'node_modules', '.bin', 'node');
  standInFor(existsSync(bundled) ? bundled : process.execPath, [join(ROOT, tool), ...args]);
}

module.exports = { start, runTool };
