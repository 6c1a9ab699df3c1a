/** The SQL for followers of many journals: see read-statements.ts. */

/** As many ids as one statement takes; there is one for few, because most ask for few. */
export const FEW = 8;
export const MANY = 500;

/** All nodes that are asked for, and all folders above them that there still are: each once. The
 *  cross join keeps `up` outside: the planner would else pass over the whole space for it. */
function chainsOf(count: number): string {
  return `WITH RECURSIVE up (id, parent_id) AS (
      SELECT id, parent_id FROM node WHERE space_id = @space AND id IN (${places(count)})
      UNION
      SELECT n.id, n.parent_id FROM up JOIN node n ON n.space_id = @space AND n.id = up.parent_id)
    SELECT n.id, n.parent_id, n.canon, n.name, n.kind, n.size_bytes, n.modified_at, n.created_at,
      n.mark, n.content_rev, n.checksums, f.mark, f.size_bytes, f.changed_at,
      m.target_space, m.target_node
    FROM up CROSS JOIN node n ON n.space_id = @space AND n.id = up.id
    LEFT JOIN folder f ON n.kind = 1 AND f.space_id = n.space_id AND f.id = n.id
    LEFT JOIN mount m ON n.kind = 2 AND m.space_id = n.space_id AND m.node_id = n.id`;
}

function standingsOf(count: number): string {
  return `SELECT s.id, s.rev, s.access_rev, p.rev_floor, e.node_id, e.at
    FROM space s LEFT JOIN space_past p ON p.space_id = s.id
    LEFT JOIN event e ON e.space_id = s.id AND e.rev = s.rev
    WHERE s.id IN (${places(count)})`;
}

function places(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ');
}

export const FOLLOW_READS = {
  listFewChains: chainsOf(FEW),
  listManyChains: chainsOf(MANY),
  listFewStandings: standingsOf(FEW),
  listManyStandings: standingsOf(MANY),
};
