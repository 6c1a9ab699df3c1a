/** Who is signed in, and what of the server a client wants to know first. */
import { Type } from 'typebox';
import type { Static } from 'typebox';
import { NodeShape } from './node.ts';
import { Bytes, Id, shape } from './shapes.ts';

export const UserShape = shape({
  id: Id,
  displayName: Type.String(),
  email: Type.Optional(Type.String()),
  isAdmin: Type.Boolean(),
  tenant: Type.String(),
}, { $id: 'SignedInUser' });

export const QuotaShape = shape({
  usedBytes: Bytes,
  limitBytes: Type.Optional(Bytes),
}, { $id: 'Quota', description: 'Without limitBytes there is no limit.' });

export const ServerShape = shape({
  version: Type.String(), name: Type.String(),
}, { $id: 'Server' });

export const SessionShape = shape({
  user: UserShape,
  quota: QuotaShape,
  root: NodeShape,
  server: ServerShape,
}, { $id: 'Session' });

export type Session = Static<typeof SessionShape>;

export const SignIn = shape({
  user: Type.String({ minLength: 1, maxLength: 200 }),
  password: Type.String({ minLength: 1, maxLength: 1024 }),
  code: Type.Optional(Type.String({
    minLength: 1, maxLength: 40,
    description: 'From an authenticator app, or a recovery code: after a refusal with the code '
      + 'second-factor-required.',
  })),
}, { $id: 'SignIn' });
