/** Who has given the password of a link, for an hour and in this browser. */
import { randomBytes } from 'node:crypto';
import type { LinkCaller } from '../../files/index.ts';
import type { Clock, Exchange } from '../../platform/index.ts';

const PASSES_MAX = 10_000;
const PASS_MS = 60 * 60 * 1000;
const PASS_BYTES = 24;
const COOKIE = 'holdfast-link';

interface Pass {
  token: string;
  /** The hash of the password that was right: another password needs another pass. */
  proof: string;
  untilMs: number;
}

/** In memory: a restart asks for passwords again. */
export class LinkPasses {
  readonly #clock: Clock;
  readonly #passes = new Map<string, Pass>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The cookie by which the browser shows it. */
  issue({ origin }: Exchange, token: string, { terms }: LinkCaller): string {
    const id = randomBytes(PASS_BYTES).toString('base64url');
    const untilMs = this.#clock.monotonic() + PASS_MS;
    this.#passes.set(id, { token, proof: terms.password ?? '', untilMs });
    if (this.#passes.size > PASSES_MAX) {
      const [oldest = ''] = this.#passes.keys();
      this.#passes.delete(oldest);
    }
    const secure = origin.startsWith('https:') ? '; Secure' : '';
    const seconds = PASS_MS / 1000;
    return `${COOKIE}=${id}; Path=/s/${token}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
  }

  /** What the browser has proven about this link; undefined: nothing. */
  proofOf({ req }: Exchange, token: string): string | undefined {
    for (const pair of (req.headers.cookie ?? '').split(';')) {
      const [name, value = ''] = pair.trim().split('=');
      const pass = name === COOKIE ? this.#passes.get(value) : undefined;
      if (pass?.token === token && pass.untilMs > this.#clock.monotonic()) return pass.proof;
    }
    return undefined;
  }
}
