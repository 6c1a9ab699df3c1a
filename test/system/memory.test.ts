/** Memory stays bounded, however much goes through. Measured as the kernel sees it. */
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setInterval } from 'node:timers/promises';
import http from 'node:http';
import { basic } from '../support/dav-client.ts';
import type { DavClient } from '../support/dav-client.ts';
import { serverForTests } from '../support/server.ts';
import type { TestServer } from '../support/server.ts';
import { settings } from '../support/settings.ts';
import { seededBytes } from '../support/trees.ts';

const MIB = 1024 * 1024;
/** The program alone takes about 180, and bodies that wait have bounds; V8 takes the rest. */
const PEAK_BYTES_MAX = 480 * MIB;
const LISTING_FILES = 10_000;
const CLIENTS = 32;

/** The highest resident size while `act` runs. */
async function peakDuring(server: TestServer, act: () => Promise<void>): Promise<number> {
  const stop = new AbortController();
  let peak = 0;
  const watching = (async () => {
    try {
      for await (const _ of setInterval(50, undefined, { signal: stop.signal })) {
        peak = Math.max(peak, server.residentBytes());
      }
    } catch (error) {
      if ((error as Error).name !== 'AbortError') throw error;
    }
  })();
  try {
    await act();
  } finally {
    stop.abort();
    await watching;
  }
  return peak;
}

function assertBounded(test: TestContext, peakBytes: number): void {
  const mib = Math.round(peakBytes / MIB);
  test.diagnostic(`peak resident size: ${mib} MiB`);
  assert.ok(peakBytes > 20 * MIB, 'it was not measured');
  assert.ok(peakBytes < PEAK_BYTES_MAX, `the server grew to ${mib} MiB`);
}

describe('memory', { timeout: 600_000 }, () => {
  const servers = serverForTests();

  it('stays bounded while one large file goes up and comes down', async (test) => {
    const server = await servers.start();
    const user = await server.addUser();
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    const peak = await peakDuring(server, async () => {
      const body = Readable.from(pieces(settings.largeUploadBytes, (piece) => sent.update(piece)));
      const { status, text } = await user.file('PUT', 'large.bin', {
        body, headers: { 'Content-Length': settings.largeUploadBytes }, timeoutMs: 500_000,
      });
      assert.equal(status, 201, text);
      await readThrough(server, user, 'large.bin', (piece) => received.update(piece));
    });
    assert.equal(received.digest('hex'), sent.digest('hex'));
    assertBounded(test, peak);
  });

  it(`stays bounded while several list a folder of ${LISTING_FILES} files`, async (test) => {
    const server = await servers.start();
    const user = await server.addUser();
    await user.makeFolder('many');
    await inLanes(16, LISTING_FILES, async (n) => {
      const { status } = await user.put(`many/file with a name ${n}.txt`, 'x');
      assert.equal(status, 201);
    });
    const peak = await peakDuring(server, async () => {
      await Promise.all(Array.from({ length: 4 }, async () => {
        assert.equal((await user.list('many')).length, LISTING_FILES);
      }));
    });
    assertBounded(test, peak);
  });

  it(`stays bounded while ${CLIENTS} clients upload at once`, async (test) => {
    const server = await servers.start();
    const user = await server.addUser();
    user.agent.maxSockets = CLIENTS;
    const bytes = seededBytes(8 * MIB, 'client');
    const peak = await peakDuring(server, async () => {
      await inLanes(CLIENTS, CLIENTS * 2, async (n) => {
        bytes.writeUInt32LE(n, 0);
        const own = n % 2 === 0 ? Buffer.from(bytes) : Buffer.from(bytes.subarray(0, 1 * MIB));
        const { status, text } = await user.put(`client ${n}.bin`, own);
        assert.equal(status, 201, text);
        assert.ok((await user.get(`client ${n}.bin`)).body.equals(own));
      });
    });
    assertBounded(test, peak);
  });
});

async function inLanes(
  lanes: number, count: number, act: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (next < count) {
      next += 1;
      await act(next - 1);
    }
  }));
}

/** Bytes that nothing can store only once: each piece begins differently. */
async function* pieces(sizeBytes: number, see: (piece: Buffer) => void): AsyncGenerator<Buffer> {
  const template = randomBytes(1 * MIB);
  for (let at = 0; at < sizeBytes; at += template.length) {
    const piece = Buffer.from(template.subarray(0, Math.min(template.length, sizeBytes - at)));
    for (let mark = 0; mark + 8 <= piece.length; mark += 65_536) {
      piece.writeDoubleLE(at + mark, mark);
    }
    see(piece);
    yield piece;
  }
}

async function readThrough(
  server: TestServer, user: DavClient, path: string, see: (piece: Buffer) => void,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const headers = { Authorization: basic(user.credentials) };
    const request = http.get(server.url + user.root + path, { headers, agent: false }, (answer) => {
      answer.on('data', see).on('end', resolve).on('error', reject);
    });
    request.on('error', reject);
  });
}
