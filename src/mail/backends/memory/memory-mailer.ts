import { HoldfastError } from '../../../base/errors.ts';
import { checkMail } from '../../mailer.ts';
import type { Mail, Mailer } from '../../mailer.ts';

/** So many are kept; a test that sends more looks at something else. */
const KEPT_MAX = 10_000;

/** Keeps what was sent, for tests, and fails when told to. */
export class MemoryMailer implements Mailer {
  readonly sent: Mail[] = [];
  /** Thrown by every send, until it is taken away. */
  failure: HoldfastError | undefined;
  /** Called before each send answers. */
  onSend: (mail: Mail) => Promise<void> | void = () => undefined;

  async send(mail: Mail, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    checkMail(mail);
    await this.onSend(mail);
    signal?.throwIfAborted();
    if (this.failure !== undefined) throw this.failure;
    if (this.sent.length < KEPT_MAX) this.sent.push({ ...mail });
  }
}
