/** The way in for whoever has the address of a public link. */
import { HoldfastError } from '../../base/errors.ts';
import type { Instant, MetadataStore, NodeRecord } from '../../metadata/index.ts';
import { isInForce } from '../access.ts';
import type { ByteRange } from '../download.ts';
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
  node: Pick<NodeRecord, 'spaceId' | 'id' | 'contentRev' | 'name' | 'sizeBytes'>;
  /** What of it is asked for. */
  wanted: ByteRange;
  /** As of LinkVisit. */
  address: string;
}

/** Somebody has begun a download by a link. */
export interface LinkRead extends Pick<LinkDownload, 'node' | 'address'> {
  link: LinkCaller;
}

/** What one visitor of one link does within this time is told once. */
const TOLD_MS = 60 * 1000;
/** Visitors remembered; above it the one told first is told anew. */
const TOLD_MAX = 10_000;

/** How long whoever has begun a download may fetch the rest of it, since the last part. */
const REST_MS = 60 * 60 * 1000;
/** Parts may overlap, and some be fetched once more: all of them together are not more than so many
 *  times the file. */
const PARTS_FACTOR = 2;
const BEGUN_MAX = 10_000;

/** A download that was counted. */
interface Begun {
  until: Instant;
  /** What may still be fetched of it. */
  leftBytes: number;
}

export class Links {
  readonly #metadata: MetadataStore;
  readonly #people: Pick<People, 'findViewer'>;
  readonly #passwords: LinkPasswordKeeper;
  readonly #now: () => Instant;
  /** In memory: a restart counts the rest as another download. */
  readonly #begun = new Map<string, Begun>();
  readonly #onRead: (read: LinkRead) => void;
  /** By link and address, and until when the next download is not told. */
  readonly #told = new Map<string, Instant>();

  constructor(parts: {
    metadata: MetadataStore; people: Pick<People, 'findViewer'>;
    passwords: LinkPasswordKeeper; now: () => Instant;
    /** For the audit log: the first download of a minute by one link to one address. */
    onRead?: ((read: LinkRead) => void) | undefined;
  }) {
    this.#onRead = parts.onRead ?? (() => undefined);
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
   *  begun that content shortly before and has not fetched it twice over by now.
   *  @throws denied `downloads-spent`; not-found. */
  async countDownload(caller: LinkCaller, download: LinkDownload): Promise<void> {
    const { link, terms } = caller;
    const { node, wanted: { startBytes, endBytes }, address } = download;
    const wantedBytes = endBytes - startBytes;
    const key = [link.id, node.spaceId, node.id, node.contentRev, address].join(' ');
    const begun = this.#begun.get(key);
    const isRest = startBytes > 0 && begun !== undefined && begun.until > this.#now()
      && begun.leftBytes >= wantedBytes;
    if (!isRest) {
      const { downloadsMax } = terms;
      await this.#metadata.commit({
        op: 'count-download', spaceId: link.spaceId, grantId: link.id,
        ...(downloadsMax !== undefined && { countMax: downloadsMax }),
      });
      this.#tell(caller, download);
    }
    const allowedBytes = isRest ? begun.leftBytes : PARTS_FACTOR * node.sizeBytes;
    const until = this.#now() + REST_MS;
    remember(this.#begun, BEGUN_MAX, [key, { until, leftBytes: allowedBytes - wantedBytes }]);
  }

  #tell(link: LinkCaller, { node, address }: LinkDownload): void {
    const key = `${link.link.id} ${address}`;
    if ((this.#told.get(key) ?? 0) > this.#now()) return;
    remember(this.#told, TOLD_MAX, [key, this.#now() + TOLD_MS]);
    this.#onRead({ link, node, address });
  }
}

/** The latest are remembered. */
function remember<V>(
  known: Map<string, V>, countMax: number, [key, value]: readonly [string, V],
): void {
  known.delete(key);
  known.set(key, value);
  if (known.size <= countMax) return;
  const [oldest = ''] = known.keys();
  known.delete(oldest);
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
