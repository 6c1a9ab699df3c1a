/** The closed loops: each of N connections sends its next request when it has its answer. */
import { Connection } from './connection.ts';
import { ContentCheck, POOL_BYTES, UNIT_BYTES, fillContent, stampContent } from './content.ts';
import { LatencyLog } from '../statistics.ts';
import { fileNameOf } from './jobs.ts';
import type {
  CallJob, CallResult, CellResult, DownloadJob, GetJob, PutJob, Target, UploadJob,
} from './jobs.ts';

const ERRORS_KEPT = 5;
const ERRORS_MAX = 200;
const CHECKED_SHARE = 16;
const PIECE_BYTES = 1024 * 1024;
const DIGITS = 10;

/** Counts and times the exchanges of one job. */
class Tally {
  readonly latencies = new LatencyLog();
  readonly errors: string[] = [];
  errorCount = 0;
  readonly #startedMs = performance.now();
  readonly #cpu = process.cpuUsage();

  get elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }

  fail(error: unknown): void {
    this.errorCount += 1;
    if (this.errors.length < ERRORS_KEPT) this.errors.push(String(error));
  }

  result(connections: readonly Connection[]): CellResult {
    const cpu = process.cpuUsage(this.#cpu);
    const opened = connections.reduce((sum, { openedCount }) => sum + openedCount, 0);
    return {
      ...this.latencies.summary(),
      errorCount: this.errorCount,
      errors: this.errors,
      elapsedMs: this.elapsedMs,
      driverCpuMs: (cpu.user + cpu.system) / 1000,
      reconnectCount: opened - connections.length,
    };
  }
}

export function headOf(target: Target, method: string, path: string, extra = ''): string {
  const host = `${target.host}:${target.port}`;
  const line = `${method} ${target.root}${path} HTTP/1.1`;
  return `${line}\r\nHost: ${host}\r\n${target.headers}${extra}\r\n`;
}

/** A request whose file number is overwritten in place, so that none is ever built anew. */
class RequestTemplate {
  readonly bytes: Buffer;
  readonly #digitsAt: number;

  constructor(head: string, name: string, bodyBytes: number) {
    this.bytes = Buffer.alloc(head.length + bodyBytes);
    this.bytes.write(head, 'latin1');
    this.#digitsAt = head.indexOf(name) + 1;
  }

  setNumber(index: number): void {
    let rest = index;
    for (let at = this.#digitsAt + DIGITS - 1; at >= this.#digitsAt; at -= 1) {
      this.bytes[at] = 0x30 + (rest % 10);
      rest = Math.floor(rest / 10);
    }
  }
}

interface LoopOptions {
  readonly connections: readonly Connection[];
  readonly timeLimitMs: number;
  readonly countMax: number;
}

/** Runs `send` with rising numbers on all connections; it answers what is wrong, if anything. */
export async function runLoop(
  { connections, timeLimitMs, countMax }: LoopOptions,
  send: (connectionIndex: number, index: number) => Promise<string | undefined>,
): Promise<CellResult> {
  const tally = new Tally();
  const deadlineMs = performance.now() + timeLimitMs;
  let next = 0;
  const worker = async (connectionIndex: number): Promise<void> => {
    let nowMs = performance.now();
    while (next < countMax && nowMs < deadlineMs && tally.errorCount < ERRORS_MAX) {
      const index = next;
      next += 1;
      try {
        const fault = await send(connectionIndex, index);
        const doneMs = performance.now();
        if (fault === undefined) tally.latencies.add(doneMs - nowMs);
        else tally.fail(fault);
        nowMs = doneMs;
      } catch (error) {
        tally.fail(error);
        nowMs = performance.now();
      }
    }
  };
  await Promise.all(connections.map((_, connectionIndex) => worker(connectionIndex)));
  const result = tally.result(connections);
  for (const connection of connections) connection.close();
  return result;
}

export function openConnections(
  { target: { host, port }, ports = [port] }: { target: Target; ports?: readonly number[] },
  count: number, readBufferBytes?: number,
): Connection[] {
  return Array.from({ length: count }, (_, at) =>
    new Connection({ host, port: ports[at % ports.length] ?? port }, readBufferBytes));
}

export function runPut(job: PutJob): Promise<CellResult> {
  const { target, sizeBytes, salt } = job;
  const connections = openConnections(job, job.connectionCount);
  const name = fileNameOf(0);
  const path = `${job.folder}/${name}${job.suffix ?? ''}`;
  const head = headOf(target, 'PUT', path, `Content-Length: ${sizeBytes}\r\n`);
  const templates = connections.map(() => {
    const template = new RequestTemplate(head, name, sizeBytes);
    const body = template.bytes.subarray(head.length);
    fillContent(body);
    return { template, body };
  });
  return runLoop({ ...job, connections }, async (connectionIndex, index) => {
    const connection = connections[connectionIndex];
    const request = templates[connectionIndex];
    if (connection === undefined || request === undefined) return 'no such connection';
    request.template.setNumber(index);
    stampContent(request.body, { salt, index });
    await connection.exchange(request.template.bytes);
    const { status } = connection.parser;
    return status === 201 || status === 204 ? undefined : `PUT answered ${status}`;
  });
}

export function runGet(job: GetJob): Promise<CellResult> {
  const { target, sizeBytes, salt, fileCount } = job;
  const readBufferBytes = Math.min(PIECE_BYTES, Math.max(16 * 1024, sizeBytes + 4096));
  const connections = openConnections(job, job.connectionCount, readBufferBytes);
  const name = fileNameOf(0);
  const head = headOf(target, 'GET', `${job.folder}/${name}`);
  const templates = connections.map(() => new RequestTemplate(head, name, 0));
  let random = salt >>> 0;
  const options = { countMax: Number.MAX_SAFE_INTEGER, ...job, connections };
  return runLoop(options, async (connectionIndex, round) => {
    const connection = connections[connectionIndex];
    const template = templates[connectionIndex];
    if (connection === undefined || template === undefined) return 'no such connection';
    // A linear congruential step: the order only has to defeat any idea of "the next file".
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    const index = Math.floor((random / 2 ** 32) * fileCount);
    template.setNumber(index);
    const isChecked = round % CHECKED_SHARE === 0;
    const check = isChecked ? new ContentCheck({ salt, index }) : undefined;
    const onBody = check === undefined ? undefined : (piece: Buffer) => check.push(piece);
    await connection.exchange(template.bytes, onBody === undefined ? undefined : { onBody });
    const { status, bodyBytes } = connection.parser;
    if (status !== 200) return `GET answered ${status}`;
    if (bodyBytes !== sizeBytes) return `GET answered ${bodyBytes} of ${sizeBytes} bytes`;
    return check?.isRight === false ? 'GET answered other bytes than were put' : undefined;
  });
}

export function runUpload({ target, path, sizeBytes, salt }: UploadJob): Promise<CellResult> {
  const connections = openConnections({ target }, 1);
  const fixed = Buffer.alloc(POOL_BYTES);
  fillContent(fixed);
  const head = headOf(target, 'PUT', path, `Content-Length: ${sizeBytes}\r\n`);
  const options = { connections, timeLimitMs: Number.MAX_SAFE_INTEGER, countMax: 1 };
  return runLoop(options, async (connectionIndex) => {
    const connection = connections[connectionIndex];
    if (connection === undefined) return 'no such connection';
    let sentBytes = 0;
    await connection.upload(Buffer.from(head, 'latin1'), () => {
      if (sentBytes >= sizeBytes) return undefined;
      const at = sentBytes % POOL_BYTES;
      const piece = fixed.subarray(at, at + Math.min(PIECE_BYTES, sizeBytes - sentBytes));
      stampContent(piece, { salt, index: 0 }, sentBytes / UNIT_BYTES);
      sentBytes += piece.length;
      return piece;
    });
    const { status } = connection.parser;
    return status === 201 || status === 204 ? undefined : `PUT answered ${status}`;
  });
}

export function runDownload({ target, path, sizeBytes, salt }: DownloadJob): Promise<CellResult> {
  const connections = openConnections({ target }, 1, PIECE_BYTES);
  const request = Buffer.from(headOf(target, 'GET', path), 'latin1');
  const options = { connections, timeLimitMs: Number.MAX_SAFE_INTEGER, countMax: 1 };
  return runLoop(options, async (connectionIndex) => {
    const connection = connections[connectionIndex];
    if (connection === undefined) return 'no such connection';
    const check = new ContentCheck({ salt, index: 0 }, CHECKED_SHARE);
    await connection.exchange(request, { onBody: (piece) => check.push(piece) });
    const { status, bodyBytes } = connection.parser;
    if (status !== 200) return `GET answered ${status}`;
    if (bodyBytes !== sizeBytes) return `GET answered ${bodyBytes} of ${sizeBytes} bytes`;
    return check.isRight ? undefined : 'GET answered other bytes than were put';
  });
}

export async function runCall(job: CallJob): Promise<CallResult> {
  const { target, method, path, headers = {}, body = '', count = 1, countPattern } = job;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = body === '' ? '' : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const request = Buffer.from(headOf(target, method, path, lines + length) + body, 'utf8');
  const connection = new Connection(target, PIECE_BYTES);
  const result = { statuses: [] as number[], bodyBytes: [] as number[], times: [] as number[] };
  const pieces: Buffer[] = [];
  try {
    await connection.open(); // The handshake is no part of what the first request costs.
    for (let round = 0; round < count; round += 1) {
      const keeps = round === 0 && countPattern !== undefined;
      const onBody = (piece: Buffer): void => void pieces.push(Buffer.from(piece));
      const startedMs = performance.now();
      await connection.exchange(request, keeps ? { onBody } : undefined);
      result.times.push(performance.now() - startedMs);
      result.statuses.push(connection.parser.status);
      result.bodyBytes.push(connection.parser.bodyBytes);
    }
  } finally {
    connection.close();
  }
  const text = Buffer.concat(pieces).toString();
  const pattern = countPattern === undefined ? undefined : new RegExp(countPattern, 'g');
  const matchCount = pattern === undefined ? 0 : (text.match(pattern) ?? []).length;
  return { ...result, matchCount };
}
