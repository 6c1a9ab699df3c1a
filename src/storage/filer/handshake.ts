/**
 * How coordinator and filer prove to each other that they hold the cluster's key, without sending
 * it. docs/formats/filer-protocol.md has the picture.
 *
 * hello, challenge, proof: each side gives a nonce, and an HMAC-SHA-256 over everything both have
 * said, under a label of its own, so that no proof can be sent back or used again. What both have
 * said holds the cluster, the filer, the role and the epoch, and under TLS a secret of the channel:
 * somebody in the middle with a channel to each side gets proofs that fit neither.
 * All of this is pure; who sends and waits is elsewhere.
 */
import { createHmac, hash, hkdfSync, timingSafeEqual } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';
import { FieldReader, FieldWriter } from './fields.ts';
import { FrameSeal } from './frame-seal.ts';
import { badFrame } from './frame-fault.ts';

export const PROTOCOL_VERSION = 1;
/** The first one in which a hello may name a home. What names none is said in the one before, so
 *  that filers and servers of before go on understanding each other. */
export const HOMES_VERSION = 2;
export const KEY_BYTES_MIN = 32;
export const NONCE_BYTES = 32;
const PROOF_BYTES = 32;
const ID_BYTES = 16;
const LANE_CHARACTERS_MAX = 32;
const CHANNEL_BYTES = 32;
/** The channel of a connection without TLS. */
export const NO_CHANNEL = Buffer.alloc(CHANNEL_BYTES);
export const CHANNEL_LABEL = 'EXPORTER-holdfast-filer';

/** A `coordinator` writes, under an epoch; a `reader` never does. */
export type Role = 'coordinator' | 'reader';
const ROLES: readonly Role[] = ['coordinator', 'reader'];

export interface Hello {
  /** The versions that the sender speaks. */
  versionMin: number;
  versionMax: number;
  role: Role;
  clusterId: string;
  /** Who writes: the same for all connections of one coordinator. */
  coordinatorId: string;
  epoch: number;
  /** One connection for each lane of a coordinator: a newer one ends the older. */
  lane: string;
  nonce: Buffer;
  /** Whose part of the disks is meant, if not that of the cluster's own home. */
  home?: string;
}

export interface Challenge {
  version: number;
  filerId: string;
  nonce: Buffer;
}

/** The version in which that is said. */
export function versionFor(home: string | undefined): number {
  return home === undefined ? PROTOCOL_VERSION : HOMES_VERSION;
}

export function encodeHello(hello: Hello): Buffer {
  const fields = new FieldWriter().u8(hello.versionMin).u8(hello.versionMax)
    .u8(ROLES.indexOf(hello.role)).raw(uuidBytes(hello.clusterId))
    .raw(uuidBytes(hello.coordinatorId)).u64(hello.epoch).text(hello.lane).raw(hello.nonce);
  if (hello.home !== undefined) fields.raw(uuidBytes(hello.home));
  return fields.done();
}

export function decodeHello(bytes: Buffer): Hello {
  const fields = new FieldReader(bytes);
  const versionMin = fields.u8();
  const versionMax = fields.u8();
  // A newer side may say more than we know; what it says after its versions is then not our matter.
  const newer = versionMin > HOMES_VERSION || versionMax < PROTOCOL_VERSION;
  if (newer) throw refused('newer-protocol');
  const role = ROLES[fields.u8()];
  if (role === undefined) throw badFrame('an unknown role');
  const clusterId = uuidText(fields.raw(ID_BYTES));
  const coordinatorId = uuidText(fields.raw(ID_BYTES));
  const epoch = fields.u64();
  const lane = fields.text(LANE_CHARACTERS_MAX);
  const nonce = Buffer.from(fields.raw(NONCE_BYTES));
  const home = versionMin < HOMES_VERSION ? undefined : uuidText(fields.raw(ID_BYTES));
  fields.end();
  return {
    versionMin, versionMax, role, clusterId, coordinatorId, epoch, lane, nonce,
    ...(home !== undefined && { home }),
  };
}

/** The challenge without its proof: the part that the proofs cover. */
export function encodeChallenge({ version, filerId, nonce }: Challenge): Buffer {
  return new FieldWriter().u8(version).raw(uuidBytes(filerId)).raw(nonce).done();
}

export function decodeChallenge(bytes: Buffer): Challenge & { said: Buffer; proof: Buffer } {
  const fields = new FieldReader(bytes);
  const version = fields.u8();
  if (version < PROTOCOL_VERSION || version > HOMES_VERSION) throw refused('newer-protocol');
  const filerId = uuidText(fields.raw(ID_BYTES));
  const nonce = Buffer.from(fields.raw(NONCE_BYTES));
  const said = bytes.subarray(0, bytes.length - PROOF_BYTES);
  const proof = fields.raw(PROOF_BYTES);
  fields.end();
  return { version, filerId, nonce, said, proof };
}

/** Everything both sides have said before the proofs. */
export interface Transcript {
  hello: Buffer;
  /** Without its proof. */
  challenge: Buffer;
  clientNonce: Buffer;
  serverNonce: Buffer;
  /** What only the two ends of a TLS channel know; NO_CHANNEL without TLS. */
  channel: Buffer;
}

export type Side = 'coordinator' | 'filer';

export function proofOf(key: Buffer, side: Side, transcript: Transcript): Buffer {
  return createHmac('sha256', key).update(`holdfast filer protocol 1, proof of the ${side}\0`)
    .update(digestOf(transcript)).digest();
}

export function isProof(
  key: Buffer,
  side: Side,
  transcript: Transcript,
  proof: Uint8Array,
): boolean {
  return proof.length === PROOF_BYTES && timingSafeEqual(proofOf(key, side, transcript), proof);
}

/** The seals for what `sender` sends in this session. */
export function sealOf(key: Buffer, sender: Side, transcript: Transcript): FrameSeal {
  const label = `holdfast filer protocol 1, frames of the ${sender}\0`;
  const info = Buffer.concat([Buffer.from(label), digestOf(transcript)]);
  const salt = Buffer.concat([transcript.clientNonce, transcript.serverNonce]);
  return new FrameSeal(Buffer.from(hkdfSync('sha256', key, salt, info, 32)));
}

function digestOf({ hello, challenge, channel }: Transcript): Buffer {
  const lengths = new FieldWriter().u32(hello.length).u32(challenge.length).done();
  return hash('sha256', Buffer.concat([lengths, hello, challenge, channel]), 'buffer');
}

/** Why a connection was refused, by a word that travels; the sentence is made where it is read, so
 *  that nobody who is not authenticated puts words into an operator's log. */
const REFUSALS: ReadonlyMap<string, string> = new Map(Object.entries({
  'newer-protocol':
    'The filer and this server speak different versions of the protocol. Upgrade the older one.',
  'foreign-cluster':
    'The filer belongs to another cluster. Check its address and the cluster id of both sides.',
  'wrong-key': 'The filer has another cluster key. Give both sides the same key file.',
  'wrong-filer': 'Another filer answers at this address than before. Check the addresses.',
  'epoch-taken':
    'Another coordinator works with this epoch. Stop one of the two, then start the other again.',
  'too-many-homes':
    'The filer keeps parts of its disks for as many tenants as it can. Use another filer.',
  'too-many': 'The filer has too many connections. Look for clients that do not end theirs.',
  stopping: 'The filer is stopping. It is tried again.',
  'fence-failed':
    'The filer cannot note on its disks who may write. Look at its log and its disks.',
}));

/** The refusal for a word; for a word that nobody knows too. */
export function refused(code: string): HoldfastError {
  const message = REFUSALS.get(code) ?? 'The filer refuses the connection. Its log says why.';
  const soon = code === 'too-many' || code === 'stopping' || code === 'fence-failed';
  const known = REFUSALS.has(code) ? code : 'refused';
  return new HoldfastError(soon ? 'unavailable' : 'conflict', 'storage/filer', message, {
    code: known,
  });
}

/** The word of a refusal, as it came. */
export function readRefusal(fields: Buffer): HoldfastError {
  return refused(new FieldReader(fields).text(64));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** @throws invalid: not a UUID in lower case. */
export function uuidBytes(uuid: string): Buffer {
  if (!isUuid(uuid)) {
    throw new HoldfastError('invalid', 'storage/filer', 'An id must be a UUID in lower case.');
  }
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  const parts = [[0, 8], [8, 12], [12, 16], [16, 20], [20, 32]] as const;
  return parts.map(([from, end]) => hex.slice(from, end)).join('-');
}

/** @throws invalid: too short to be a secret. */
export function checkKey(key: Buffer): void {
  if (key.length >= KEY_BYTES_MIN) return;
  const message = `The cluster key needs at least ${KEY_BYTES_MIN} bytes. Make a new key file.`;
  throw new HoldfastError('invalid', 'storage/filer', message, { code: 'short-key' });
}
