/** The way in for whoever has the address of a public link. */
import { HoldfastError } from '../../base/errors.ts';
import type { Instant, MetadataStore, NodeRecord } from '../../metadata/index.ts';
import { isInForce } from '../access.ts';
import { linkCaller } from '../view/link-caller.ts';
import type { LinkCaller } from '../view/link-caller.ts';
import { hashLinkToken } from './link-token.ts';
import type { LinkPasswordKeeper, People } from './share.ts';
import { readTerms } from './terms.ts';

export interface LinkVisit {
  /** The secret part of the address. */
  token: string;
  /** undefined: none was given. */
  password: string | undefined;
  /** What was kept of the password when this visitor gave it the last time. */
  proof?: string | undefined;
  /** The network address that the request came from, for counting failures. */
  address: string;
}

/** A request for bytes of a file. */
export interface LinkDownload {
  node: Pick<NodeRecord, 'spaceId' | 'id' | 'contentRev'>;
  /** The first byte that is asked for. */
  startBytes: number;
  /** As of LinkVisit. */
  address: string;
}

/** How long whoever has begun a download may fetch the rest of it, since the last part. */
const REST_MS = 60 * 60 * 1000;
const BEGUN_MAX = 10_000;

export class Links {
  readonly #metadata: MetadataStore;
  readonly #people: Pick<People, 'findViewer'>;
  readonly #passwords: LinkPasswordKeeper;
  readonly #now: () => Instant;
  /** Downloads that were counted, and until when their rest may be fetched. In memory: a restart
   *  counts the rest as another one. */
  readonly #begun = new Map<string, Instant>();

  constructor(parts: {
    metadata: MetadataStore; people: Pick<People, 'findViewer'>;
    passwords: LinkPasswordKeeper; now: () => Instant;
  }) {
    this.#metadata = parts.metadata;
    this.#people = parts.people;
    this.#passwords = parts.passwords;
    this.#now = parts.now;
  }

  /** A link is over as well while its maker may not sign in; what is hidden from its maker, it does
   *  not show. @throws not-found: no such link, or it is over; unauthenticated `link-password`: it
   *  wants a password, another than this; busy: too many failures, with facts.retryAfterMs. */
  async open({ token, password, proof, address }: LinkVisit): Promise<LinkCaller> {
    const grant = await this.#metadata.findLink(hashLinkToken(token));
    if (grant === undefined || !isInForce(grant, this.#now()) || grant.role === 'none') {
      this.#passwords.noteMissing({ password: token, address });
      throw noLink();
    }
    const terms = readTerms(grant.terms);
    if (terms.password !== undefined && terms.password !== proof) {
      if (password === undefined || password === '') throw passwordWanted();
      const link = String(grant.id);
      const isRight = await this.#passwords.verify(terms.password, { link, password, address });
      if (!isRight) throw passwordWanted();
    }
    const maker = await this.#people.findViewer(grant.createdBy);
    if (maker === undefined) throw noLink();
    return linkCaller(grant, terms, maker);
  }

  /** Counts one download before a byte goes out. Players and resumed downloads ask for parts: what
   *  begins at the first byte counts, and a later part unless the same visitor, by address, has
   *  begun that content shortly before. @throws denied `downloads-spent`; not-found. */
  async countDownload({ link, terms }: LinkCaller, download: LinkDownload): Promise<void> {
    const { node, startBytes, address } = download;
    const key = [link.id, node.spaceId, node.id, node.contentRev, address].join(' ');
    const restUntil = this.#begun.get(key) ?? 0;
    const isRest = startBytes > 0 && restUntil > this.#now();
    if (!isRest) {
      const { downloadsMax } = terms;
      await this.#metadata.commit({
        op: 'count-download', spaceId: link.spaceId, grantId: link.id,
        ...(downloadsMax !== undefined && { countMax: downloadsMax }),
      });
    }
    this.#noteBegun(key);
  }

  #noteBegun(key: string): void {
    this.#begun.delete(key);
    this.#begun.set(key, this.#now() + REST_MS);
    if (this.#begun.size <= BEGUN_MAX) return;
    const [oldest = ''] = this.#begun.keys();
    this.#begun.delete(oldest);
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
