import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { silentLog, systemRandom } from '../platform/index.ts';
import { askServer } from './control-client.ts';
import { ControlServer } from './control-server.ts';
import type { Operations, PlainRecord } from './operation.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-control-'));
});
after(async () => {
  await rm(root, { recursive: true });
});

let aborted: unknown;
const operations: Operations = {
  echo: async (input) => ({ got: input }),
  count: async (_input, { progress }) => {
    for (let done = 1; done <= 3; done += 1) progress({ done });
    return { done: 3 };
  },
  refuse: async () => {
    throw new HoldfastError('conflict', 'test', 'It is not empty.', { code: 'x', facts: { n: 2 } });
  },
  break: async () => {
    throw new TypeError('a bug');
  },
  wait: (_input, { signal }) => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      aborted = signal.reason;
      reject(signal.reason as Error);
    });
  }),
};

function open(): Promise<ControlServer> {
  return ControlServer.open({
    directory: root, operations, log: silentLog, random: systemRandom,
  });
}

describe('The control port', () => {
  it('carries orders, news, results and errors', async () => {
    const server = await open();
    const input = { text: 'ä\u2028\n\u2029', list: [1, true, null] };
    assert.deepEqual(await askServer(root, { operation: 'echo', input }), { got: input });
    const news: PlainRecord[] = [];
    const onProgress = (one: PlainRecord): void => void news.push(one);
    const counted = await askServer(root, { operation: 'count', input: {}, onProgress });
    assert.deepEqual([counted, news.at(-1)], [{ done: 3 }, { done: 3 }]);
    await assert.rejects(askServer(root, { operation: 'refuse', input: {} }), {
      kind: 'conflict', message: 'It is not empty.', code: 'x', facts: { n: 2 },
    });
    await assert.rejects(askServer(root, { operation: 'break', input: {} }), { kind: 'internal' });
    for (const operation of ['nothing', '__proto__', 'constructor']) {
      await assert.rejects(askServer(root, { operation, input: {} }), { kind: 'invalid' });
    }
    await server.close();
  });

  it('says so when no server runs, and after one was stopped or killed', async () => {
    const order = { operation: 'echo', input: {} };
    assert.equal(await askServer(root, order), undefined);
    const server = await open();
    const note = await readFile(join(root, 'control.json'));
    await server.close();
    assert.deepEqual(await readdir(root), [], 'the note is gone');
    await writeFile(join(root, 'control.json'), note);
    assert.equal(await askServer(root, order), undefined);
    await writeFile(join(root, 'control.json'), '{');
    assert.equal(await askServer(root, order), undefined);
    await rm(join(root, 'control.json'));
  });

  it('never takes a server that died over an order for one that does not run', async () => {
    const script = fileURLToPath(new URL('./testing/dying-server.ts', import.meta.url));
    const server = spawn(process.execPath, [script, root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(server.stdout, 'data');
    const asked = askServer(root, { operation: 'die', input: {} });
    await assert.rejects(asked, { kind: 'unavailable' });
    await rm(join(root, 'control.json'));
  });

  it('obeys nobody who does not know the secret, and keeps it to its owner', async () => {
    const server = await open();
    const path = join(root, 'control.json');
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const { port, token } = JSON.parse(await readFile(path, 'utf8')) as {
      port: number; token: string;
    };
    const url = `http://127.0.0.1:${port}/`;
    const body = JSON.stringify({ operation: 'echo', input: {} });
    for (const authorization of ['', `Bearer ${token}x`, `Bearer ${token.slice(1)}`, token]) {
      const answer = await fetch(url, { method: 'POST', body, headers: { authorization } });
      assert.equal(answer.status, 401, authorization);
    }
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await fetch(url, { headers })).status, 401, 'a GET');
    for (const bad of ['', '{', '[]', '{"operation":1}', 'x'.repeat(2 ** 20 + 1)]) {
      const answer = await fetch(url, { method: 'POST', body: bad, headers });
      assert.match(await answer.text(), /"invalid"/);
    }
    await server.close();
  });

  it('tells an order to stop when its asker leaves, and when the server stops', async () => {
    const server = await open();
    const asker = new AbortController();
    const asked = askServer(root, { operation: 'wait', input: {}, signal: asker.signal });
    await askServer(root, { operation: 'echo', input: {} });
    asker.abort();
    await assert.rejects(asked);
    while (aborted === undefined) await new Promise(setImmediate);
    const second = askServer(root, { operation: 'wait', input: {} });
    const refused = assert.rejects(second, { kind: 'unavailable' });
    await askServer(root, { operation: 'echo', input: {} });
    await server.close();
    await refused;
  });
});
