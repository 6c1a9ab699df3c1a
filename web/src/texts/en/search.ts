/** Looking for names in all folders. */
export const SEARCH_TEXTS = {
  'search.title': 'Search',
  'search.field': 'Search all folders',
  'search.everywhere': 'Search all folders',
  'search.begin': 'What are you looking for?',
  'search.beginText': 'Words that are in the name of a file or folder, in any order.',
  'search.looking': 'Looked at {count} so far …',
  'search.found': { one: '{count} found', other: '{count} found' },
  'search.foundSoFar': { one: '{count} found so far', other: '{count} found so far' },
  'search.more': 'Look further',
  'search.none': 'Nothing has “{text}” in its name',
  'search.noneText': 'All that you can see was looked through, and what others share with you. '
    + 'The trash was not.',
  'search.list': 'What was found',
  'search.in': 'in',
} as const;
