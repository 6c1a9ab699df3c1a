/** Who has given the password of a link, for an hour and in this browser. The browser carries what
 *  proves it, sealed, so that every server knows it and none keeps it. */
import type { LinkCaller } from '../../files/index.ts';
import type { SecretSeal } from '../../identity/index.ts';
import type { Clock, Exchange } from '../../platform/index.ts';

const PASS_MS = 60 * 60 * 1000;
const COOKIE = 'holdfast-link';

export class LinkPasses {
  readonly #seal: SecretSeal;
  readonly #clock: Clock;

  constructor(seal: SecretSeal, clock: Clock) {
    this.#seal = seal;
    this.#clock = clock;
  }

  /** The cookie by which the browser shows it. It is of this link alone, and of the password that
   *  was right: another password needs another pass. */
  issue({ origin }: Exchange, token: string, { terms }: LinkCaller): string {
    const pass = JSON.stringify([terms.password ?? '', this.#clock.now() + PASS_MS]);
    const sealed = this.#seal.seal(Buffer.from(pass), token);
    const secure = origin.startsWith('https:') ? '; Secure' : '';
    const rules = `Max-Age=${PASS_MS / 1000}; HttpOnly; SameSite=Lax${secure}`;
    return `${COOKIE}=${sealed}; Path=/s/${token}; ${rules}`;
  }

  /** What the browser has proven about this link; undefined: nothing. */
  proofOf({ req }: Exchange, token: string): string | undefined {
    for (const pair of (req.headers.cookie ?? '').split(';')) {
      const [name, value = ''] = pair.trim().split('=');
      const pass = name === COOKIE ? this.#seal.open(value, token)?.toString('utf8') : undefined;
      if (pass === undefined) continue;
      const [proof, untilMs] = JSON.parse(pass) as [string, number];
      if (this.#clock.now() < untilMs) return proof;
    }
    return undefined;
  }
}
