/** What is kept of a webhook: docs/formats/webhooks.md. */
import { HoldfastError } from '../base/errors.ts';
import type { UserId } from '../base/ids.ts';
import type { SeenChangeKind } from '../files/index.ts';

/** Webhooks of one user. */
export const PER_USER_MAX = 20;
/** In all. */
export const WEBHOOKS_MAX = 500;
/** Deliveries given up that are kept of each; the oldest make room. */
export const DEAD_MAX = 50;
/** Deliveries given up one after the other, after which no more is tried. */
export const DEAD_IN_A_ROW_MAX = 20;
export const ID_BYTES = 12;
const URL_LENGTH_MAX = 2_000;
const SECRET_LENGTH_MIN = 16;
const SECRET_LENGTH_MAX = 200;
const LABEL_LENGTH_MAX = 100;
const PATH_LENGTH_MAX = 4_000;

export interface WebhookFilter {
  /** Only what is at or below this path of the owner's tree; '' for all. */
  path: string;
  /** Only changes of these kinds; empty for all. */
  kinds: readonly SeenChangeKind[];
}

/** One message to the receiver. It is sent as it is until it is taken or given up. */
export interface Delivery {
  readonly id: string;
  readonly at: number;
  /** JSON. */
  readonly body: string;
  readonly tries: number;
  /** Why the last try failed; '' before the first. */
  readonly trouble: string;
}

export interface Webhook {
  readonly id: string;
  readonly owner: UserId;
  readonly url: string;
  readonly secret: string;
  readonly label: string;
  readonly filter: WebhookFilter;
  readonly createdAt: number;
  /** `failing`: so many deliveries were given up in a row that no more are tried. */
  readonly state: 'active' | 'failing';
  /** Up to where the owner's feed has been made into deliveries. */
  readonly cursor: string | undefined;
  /** Under way; the next one is made when this one is over. */
  readonly pending: Delivery | undefined;
  /** Given up, and to be sent again next. */
  readonly again: readonly Delivery[];
  readonly dead: readonly Delivery[];
  readonly deadInARow: number;
}

export interface WebhookWishes {
  url: string;
  secret: string;
  label?: string;
  path?: string;
  kinds?: readonly SeenChangeKind[];
}

/** @throws invalid: what is wished cannot be. */
export function checkWishes({ url, secret, label = '', path = '' }: WebhookWishes): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const isWeb = parsed?.protocol === 'https:' || parsed?.protocol === 'http:';
  const hasName = parsed !== undefined && (parsed.username !== '' || parsed.password !== '');
  if (!isWeb || hasName || url.length > URL_LENGTH_MAX) {
    throw refused('The address must begin with https:// or http:// and hold no password.', 'url');
  }
  if (secret.length < SECRET_LENGTH_MIN || secret.length > SECRET_LENGTH_MAX) {
    const length = `${SECRET_LENGTH_MIN} to ${SECRET_LENGTH_MAX}`;
    throw refused(`The secret must be ${length} characters long.`, 'secret');
  }
  if (label.length > LABEL_LENGTH_MAX || path.length > PATH_LENGTH_MAX) {
    throw refused('The label or the path is too long.', 'filter');
  }
}

function refused(message: string, code: string): HoldfastError {
  return new HoldfastError('invalid', 'webhooks/checkWishes', message, { code: `webhook-${code}` });
}
