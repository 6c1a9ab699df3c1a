/** The way in for whoever has the address of a public link. */
import { HoldfastError } from '../../base/errors.ts';
import type { GrantRecord, Instant, MetadataStore } from '../../metadata/index.ts';
import { isInForce } from '../access.ts';
import { linkCaller } from '../view/link-caller.ts';
import type { LinkCaller } from '../view/link-caller.ts';
import { hashLinkToken } from './link-token.ts';
import type { LinkPasswordKeeper } from './share.ts';
import { readTerms } from './terms.ts';

export interface LinkVisit {
  /** The secret part of the address. */
  token: string;
  /** undefined: none was given. */
  password: string | undefined;
  /** The network address that the request came from, for counting failures. */
  address: string;
}

export class Links {
  readonly #metadata: MetadataStore;
  readonly #passwords: LinkPasswordKeeper;
  readonly #now: () => Instant;

  constructor(parts: {
    metadata: MetadataStore; passwords: LinkPasswordKeeper; now: () => Instant;
  }) {
    this.#metadata = parts.metadata;
    this.#passwords = parts.passwords;
    this.#now = parts.now;
  }

  /** @throws not-found: no such link, or it is over; unauthenticated `link-password`: it wants a
   *  password, another than this; busy: too many failures, with facts.retryAfterMs. */
  async open({ token, password, address }: LinkVisit): Promise<LinkCaller> {
    const grant = await this.#metadata.findLink(hashLinkToken(token));
    if (grant === undefined || !isInForce(grant, this.#now()) || grant.role === 'none') {
      this.#passwords.noteMissing({ password: token, address });
      throw noLink();
    }
    const terms = readTerms(grant.terms);
    if (terms.password !== undefined) {
      if (password === undefined || password === '') throw passwordWanted();
      const link = String(grant.id);
      const isRight = await this.#passwords.verify(terms.password, { link, password, address });
      if (!isRight) throw passwordWanted();
    }
    return linkCaller(grant, terms);
  }

  /** Counts one download before a byte goes out. @throws denied `downloads-spent`; not-found. */
  async countDownload({ link, terms }: LinkCaller): Promise<void> {
    const { spaceId, id: grantId }: GrantRecord = link;
    const { downloadsMax } = terms;
    await this.#metadata.commit({
      op: 'count-download', spaceId, grantId,
      ...(downloadsMax !== undefined && { countMax: downloadsMax }),
    });
  }
}

function noLink(): HoldfastError {
  const message = 'This link leads nowhere: it is mistyped, expired, or was taken back.';
  return new HoldfastError('not-found', 'files/Links.open', message, { code: 'link-over' });
}

function passwordWanted(): HoldfastError {
  const message = 'This link asks for a password.';
  return new HoldfastError('unauthenticated', 'files/Links.open', message, {
    code: 'link-password',
  });
}
