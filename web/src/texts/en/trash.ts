export const TRASH_TEXTS = {
  'trash.title': 'Trash',
  'trash.empty': 'The trash is empty',
  'trash.emptyText': 'What you delete waits here until it is restored or removed for good.',
  'trash.restore': 'Restore',
  'trash.restored': { one: 'Restored “{name}”', other: 'Restored {count} items' },
  'trash.remove': 'Delete for good',
  'trash.removeTitle': {
    one: 'Delete “{name}” for good?',
    other: 'Delete {count} items for good?',
  },
  'trash.removeText':
    'This cannot be undone here. Versions in the past stay as long as your server keeps '
    + 'them.',
  'trash.removed': { one: 'Deleted “{name}” for good', other: 'Deleted {count} items for good' },
  'trash.clear': 'Empty trash',
  'trash.clearTitle': 'Delete everything in the trash for good?',
  'trash.cleared': 'The trash is empty now',
  'trash.from': 'Was in',
  'trash.deletedAt': 'Deleted',
  'trash.deletedBy': 'by {name}',
  'trash.list': 'Deleted files and folders',
} as const;
