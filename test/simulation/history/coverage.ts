/** Rare things that a simulation is for. A run in which one of them never happens proves too
 *  little, and the generator has to be mended. */
export const SOMETIMES: readonly string[] = [
  // Disks.
  'write EIO', 'write ENOSPC', 'write hang', 'write slow', 'sync EIO', 'sync hang', 'rename EIO',
  'open EIO', 'read EIO', 'folder EIO', 'a failed sync dropped bytes', 'a write went astray',
  'a write went nowhere', 'rot in hv', 'rot in copies', 'a disk came back empty',
  // Power cuts and kills, in the middle of work and of starts.
  'power in the middle of work', 'kill in the middle of work', 'a start was cut short',
  'a start was refused: unavailable', 'torn-tail',
  // Replication and repair.
  'disk-silent', 'disk-missing', 'disk-returned', 'copy-failed', 'copy-short', 'copy-damaged',
  'copy-made', 'copy-not-made', 'copy-let-go', 'a verifier found damage',
  // Writing.
  'write-failed', 'seal-failed', 'writes-stopped', 'an upload was refused: full',
  'an upload was refused: unavailable', 'an upload brought what was there',
  // Giving room back.
  'an old volume was ended', 'an open volume was ended for its garbage',
  'a volume was compacted', 'a condemned block was dropped', 'a condemned block was rescued',
  'a volume left while a disk was away', 'a volume was unlinked',
  'a volume was taken back from the trash', 'a replaced copy was erased',
  'collector refused: busy',
  'power in the middle of a collection', 'power in the middle of a repair',
];
