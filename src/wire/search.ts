/** Finding files and folders by their names. */
import { Type } from 'typebox';
import { NodeShape } from './node.ts';
import { Id, shape } from './shapes.ts';

export const SEARCH_LIMIT_MAX = 200;
export const SEARCH_LIMIT_DEFAULT = 50;

export const SearchQuery = shape({
  query: Type.String({
    minLength: 1, maxLength: 200,
    description: 'Words, with spaces between. All of them have to be in the name.',
  }),
  folderId: Type.Optional(Type.String({
    ...Id, description: 'In this folder and below it; without one in all that one sees.',
  })),
  cursor: Type.Optional(Type.String({
    minLength: 1, maxLength: 4096, description: 'nextCursor of the answer before.',
  })),
  limit: Type.Optional(Type.Integer({
    minimum: 1, maximum: SEARCH_LIMIT_MAX, default: SEARCH_LIMIT_DEFAULT,
    description: 'Most items of the answer. There may be fewer, and still more to come.',
  })),
});

export const SearchShape = shape({
  items: Type.Array(NodeShape),
  lookedCount: Type.Integer({ minimum: 0, description: 'Entries that this answer looked at.' }),
  nextCursor: Type.Optional(Type.String({
    description: 'Not all was looked at: go on with this, also when nothing was found so far.',
  })),
}, { $id: 'Search' });
