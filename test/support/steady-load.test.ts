/** The judges judged: users who notice nothing would prove nothing. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { DavClient } from './dav-client.ts';
import { eventually } from './deadline.ts';
import { SteadyLoad } from './steady-load.ts';

type Spoil = (kept: Map<string, Buffer>) => void;

/** What the users complain about after `spoil` has changed what a server keeps. */
async function complaints(spoil: Spoil, refuses = 0): Promise<SteadyLoad> {
  const kept = new Map<string, Buffer>();
  let left = refuses;
  const server = createServer((req, res) => {
    const url = req.url ?? '';
    void buffer(req).then((body) => {
      if (req.method === 'GET') {
        const bytes = kept.get(url);
        res.writeHead(bytes === undefined ? 404 : 200).end(bytes);
      } else if (left > 0) {
        left -= 1;
        res.writeHead(503).end('later');
      } else {
        kept.set(url, body);
        res.writeHead(201).end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const user = new DavClient(() => `http://127.0.0.1:${port}`, { name: 'u', password: 'p' });
  const load = new SteadyLoad(user, { pauseMs: 1, bytesMax: 50_000 });
  try {
    load.start();
    await eventually(60_000, 'files are written', () => load.counts.written > 30);
    await load.stop();
    spoil(kept);
    await load.readAll();
    return load;
  } finally {
    user.agent.destroy();
    server.closeAllConnections();
    server.close();
  }
}

function anyOf(kept: ReadonlyMap<string, Buffer>): [string, Buffer] {
  const [first] = kept;
  assert.ok(first !== undefined);
  return first;
}

describe('users who remember what was acknowledged', () => {
  it('have no complaint about a server that keeps it, and count what was put off', async () => {
    const { faults, counts } = await complaints(() => undefined, 3);
    assert.deepEqual(faults, []);
    assert.deepEqual(counts.retryable, { 503: 3 });
    assert.deepEqual([...counts.reasons], ['later']);
  });

  it('notice a changed byte', async () => {
    const { faults } = await complaints((kept) => {
      const [, bytes] = anyOf(kept);
      bytes[0] = (bytes[0] ?? 0) ^ 1;
    });
    assert.equal(faults.length, 1);
    assert.match(faults[0] ?? '', /holds .* instead of/);
  });

  it('notice a lost file', async () => {
    const { faults } = await complaints((kept) => {
      kept.delete(anyOf(kept)[0]);
    });
    assert.equal(faults.length, 1);
    assert.match(faults[0] ?? '', /answered with 404/);
  });
});
