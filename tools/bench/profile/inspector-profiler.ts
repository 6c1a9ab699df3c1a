/**
 * Profiles the running server over Node's inspector, so that a profile covers one item and nothing
 * of the start or the filling before. The server is started with INSPECT_ENV; it announces the
 * address of its inspector on its error output.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Profiler } from '../items/item.ts';
import { describeProfile, summarise } from './cpu-profile.ts';
import type { CpuProfile } from './cpu-profile.ts';

export const INSPECT_ENV: Readonly<Record<string, string>> = {
  NODE_OPTIONS: '--inspect=127.0.0.1:0',
};
export const INSPECT_ADDRESS: RegExp = /Debugger listening on (ws:\/\/\S+)/;

const SAMPLE_US = 250;

interface Reply {
  readonly id?: number;
  readonly result?: { readonly profile?: CpuProfile };
  readonly error?: { readonly message: string };
}

export class InspectorProfiler implements Profiler {
  /** Set before each item: the title of the profile and the name of its file. */
  title = '';
  readonly #socket: WebSocket;
  readonly #folder: string;
  readonly #print: (text: string) => void;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;
  #count = 0;

  private constructor(socket: WebSocket, folder: string, print: (text: string) => void) {
    this.#socket = socket;
    this.#folder = folder;
    this.#print = print;
    socket.addEventListener('message', ({ data }) => {
      const reply = JSON.parse(String(data)) as Reply;
      if (reply.id === undefined) return; // An event, of which none is needed here.
      this.#waiting.get(reply.id)?.(reply);
      this.#waiting.delete(reply.id);
    });
  }

  /** Connects to the inspector at a ws: address; profiles go into `folder`. */
  static async open(
    url: string, folder: string, print: (text: string) => void,
  ): Promise<InspectorProfiler> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error('no inspector')), { once: true });
    });
    const profiler = new InspectorProfiler(socket, folder, print);
    await profiler.#ask('Profiler.enable');
    await profiler.#ask('Profiler.setSamplingInterval', { interval: SAMPLE_US });
    return profiler;
  }

  async start(): Promise<void> {
    await this.#ask('Profiler.start');
  }

  async stop(): Promise<void> {
    const { result } = await this.#ask('Profiler.stop');
    if (result?.profile === undefined) return;
    this.#count += 1;
    const file = join(this.#folder, `${this.title}-${this.#count}.cpuprofile`);
    writeFileSync(file, JSON.stringify(result.profile));
    this.#print(describeProfile(`${this.title} (${file})`, summarise(result.profile)));
  }

  close(): void {
    this.#socket.close();
  }

  async #ask(method: string, params: Record<string, unknown> = {}): Promise<Reply> {
    this.#lastId += 1;
    const id = this.#lastId;
    const answered = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const reply = await answered;
    if (reply.error !== undefined) throw new Error(`${method}: ${reply.error.message}`);
    return reply;
  }
}
