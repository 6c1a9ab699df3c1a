/** What happened lately, and what waits for a decision. */
export const ACTIVITY_TEXTS = {
  'nav.activity': 'Activity',
  'activity.title': 'Activity',
  'activity.titleOf': 'Activity in {name}',
  'activity.ofAll': 'Show all activity',
  'activity.open': 'What happened here',
  'activity.happened': 'What happened',
  'activity.waiting': 'Waiting for you',
  'activity.waitingCount': {
    one: '{count} thing waits for you', other: '{count} things wait for you',
  },
  'activity.tabs': 'Activity',
  'activity.empty': 'Nothing has happened yet',
  'activity.emptyText': 'When you or people you share with add, change or delete files, it is told '
    + 'here.',
  'activity.toFiles': 'Go to your files',
  'activity.new': 'Something new has happened. Show it',
  'activity.earlier': 'Show earlier',
  'activity.today': 'Today',
  'activity.yesterday': 'Yesterday',
  'activity.you': 'You',
  'activity.somebody': 'Somebody with a link',
  'activity.which': { one: 'Show which', other: 'Show which {count}' },
  'activity.andMore': { one: 'and {count} more', other: 'and {count} more' },
  'activity.inRoot': 'Files',
  'activity.goneFolder': 'a folder that is gone',
  'act.added': {
    one: '{who} added “{name}” to {folder}', other: '{who} added {count} items to {folder}',
  },
  'act.changed': {
    one: '{who} changed “{name}” in {folder}', other: '{who} changed {count} files in {folder}',
  },
  'act.moved': {
    one: '{who} moved “{name}” to {folder}', other: '{who} moved {count} items to {folder}',
  },
  'act.renamed': {
    one: '{who} renamed “{old}” to “{name}” in {folder}',
    other: '{who} renamed {count} items in {folder}',
  },
  'act.renamedPlain': '{who} renamed “{name}” in {folder}',
  'act.deleted': {
    one: '{who} deleted “{name}” from {folder}',
    other: '{who} deleted {count} items from {folder}',
  },
  'act.restored': {
    one: '{who} brought “{name}” back to {folder}',
    other: '{who} brought {count} items back to {folder}',
  },
  'act.shared': {
    one: '{who} shared “{name}”', other: '{who} shared {count} items in {folder}',
  },
  'act.unshared': {
    one: '{who} ended a share of “{name}”',
    other: '{who} ended shares of {count} items in {folder}',
  },
  'inbox.empty': 'Nothing waits for you',
  'inbox.emptyText': 'When two people change a file at once, or a device deletes very much, you '
    + 'are asked here what to do.',
  'inbox.conflicts': 'Files that two have changed at once',
  'inbox.heldTitle': 'Changes that are held back',
  'inbox.conflictText': 'Both are kept until you choose.',
  'inbox.original': 'The file',
  'inbox.copy': 'The other copy',
  'inbox.keepThis': 'Keep this one',
  'inbox.keepThisLabel': '{action}: {name}',
  'inbox.keepBoth': 'Keep both',
  'inbox.keepBothLabel': 'Keep both of {name}',
  'inbox.compare': 'Compare',
  'inbox.compareLabel': 'Compare both of {name}',
  'inbox.goneOriginal': 'The file itself is not there any more.',
  'inbox.useCopy': 'Use this copy in its place',
  'inbox.kept': 'Kept one of “{name}”; the other is in the trash',
  'inbox.keptBoth': 'Kept both: “{name}” and “{other}”',
  'inbox.heldHead': '“{device}” has deleted or overwritten very much',
  'inbox.heldBy': {
    one: 'Device of {user} · {count} item held back · {time}',
    other: 'Device of {user} · {count} items held back · {time}',
  },
  'inbox.heldText': 'So it is held back: on this device it is done, and everybody else still has '
    + 'everything as it was. Was it meant so?',
  'inbox.heldKeep': 'Yes, do it',
  'inbox.heldUndo': 'No, bring all back',
  'inbox.heldShow': 'Show what is held back',
  'inbox.heldDeleted': 'deleted',
  'inbox.heldContent': 'overwritten',
  'inbox.askKeep': 'Do what this device has done?',
  'inbox.askKeepText': {
    one: '{count} item is deleted or overwritten for everybody. What is deleted goes to the trash, '
      + 'and of what is overwritten the content of now stays as a version.',
    other: '{count} items are deleted or overwritten for everybody. Deleted ones go to the trash, '
      + 'and of overwritten ones the content of now stays as a version.',
  },
  'inbox.askUndo': 'Bring everything back to this device?',
  'inbox.askUndoText': 'The device gets its files back as everybody else has them. What it has '
    + 'written over them is put aside for as long as the trash keeps things.',
  'inbox.heldKept': 'It is being done for everybody',
  'inbox.heldUndone': 'The device gets its files back',
} as const;
