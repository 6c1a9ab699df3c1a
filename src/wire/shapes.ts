/** What many shapes of the API are made of. Floor 0: schemas and their types, nothing else. */
import { Type } from 'typebox';
import type { Static, TSchema } from 'typebox';

export const LIST_LIMIT_DEFAULT = 200;
export const LIST_LIMIT_MAX = 1000;
/** Longest path in a query: names are 255 bytes, folders can be nested 128 deep. */
export const PATH_CHARACTERS_MAX = 33_000;

/** Ids are words for clients: they compare them, keep them, and give them back. */
export const Id = Type.String({
  minLength: 1, maxLength: 200, description: 'An id. Opaque: compare it and give it back.',
});

export const Instant = Type.String({
  format: 'date-time', maxLength: 40, description: 'ISO 8601, UTC, with milliseconds.',
});

export const Bytes = Type.Integer({ minimum: 0, description: 'A number of bytes.' });

export const NameText = Type.String({
  minLength: 1, maxLength: 255,
  description: 'Name of a file or folder: no slash, no NUL, 255 bytes of UTF-8 at most.',
});

export const PathText = Type.String({
  maxLength: PATH_CHARACTERS_MAX,
  description: 'A path in the tree of whoever asks, with slashes between the names; "/" is the '
    + 'root.',
});

/** The parts of a query that every list takes. */
export const PAGING = {
  cursor: Type.Optional(Type.String({
    minLength: 1, maxLength: 4096,
    description: 'nextCursor of the page before. Opaque; good for the same list only.',
  })),
  limit: Type.Optional(Type.Integer({
    minimum: 1, maximum: LIST_LIMIT_MAX, default: LIST_LIMIT_DEFAULT,
    description: 'Most items of the answer. There may be fewer, and still a next page.',
  })),
};

export const Paging = Type.Object(PAGING, { additionalProperties: false });

/** An object that takes no other members than those it names. */
export function shape<P extends Record<string, TSchema>>(
  members: P, options: { $id?: string; description?: string } = {},
) {
  return Type.Object(members, { additionalProperties: false, ...options });
}

/** One of a few words. */
export function oneOfWords<const W extends readonly string[]>(words: W, description?: string) {
  return Type.Unsafe<W[number]>({
    type: 'string', enum: [...words], ...(description !== undefined && { description }),
  });
}

/** One page of a list. */
export function pageOf<S extends TSchema>(item: S, $id: string) {
  return shape({
    items: Type.Array(item),
    nextCursor: Type.Optional(Type.String({ description: 'There is more: ask for it with this.' })),
  }, { $id });
}

export const ProblemShape = shape({
  type: Type.String({ description: 'urn:holdfast:problem: and the code.' }),
  title: Type.String({ description: 'The kind of problem, in a few words.' }),
  status: Type.Integer(),
  detail: Type.String({ description: 'What went wrong here and what to do, for people.' }),
  code: Type.String({ description: 'A stable word for programs.' }),
  instance: Type.String({ description: 'urn:holdfast:request: and the id of the request.' }),
  at: Type.Optional(Type.String({ description: 'Which part of the request is meant.' })),
}, { $id: 'Problem', description: 'RFC 9457.' });

export type Problem = Static<typeof ProblemShape>;
export type ListQuery = Static<typeof Paging>;
