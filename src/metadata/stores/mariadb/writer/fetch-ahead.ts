/**
 * Reads at the begin of a batch what its changes are going to ask one by one: the node that each is
 * about, what stands under the name that each is to take, the grant that each may change. One
 * statement of each kind for the whole batch, in place of one or two for every change.
 *
 * What is fetched here is only a guess at the questions: a wrong one costs a row, never an answer.
 */
import type { SpaceId } from '../../../../base/ids.ts';
import { canonicalName } from '../../../../base/names.ts';
import type { CasePolicy, Name } from '../../../../base/names.ts';
import { ownerOf, statements as registry } from '../../../../platform/mariadb/index.ts';
import type { Answer, SqlValue } from '../../../../platform/mariadb/index.ts';
import type { WriterChange } from '../../sqlite/messages.ts';
import { GRANT_COLUMNS, SUBJECT_KINDS } from '../../sqlite/rows.ts';
import type { StatementName } from '../../sqlite/statements.ts';
import type { Step } from '../line/line-messages.ts';
import type { LineStatements } from './line-statements.ts';
import { WRITER_OWNER, WRITER_STATEMENTS } from './writer-statements.ts';

const NODE = `n.id, n.parent_id, n.canon, n.name, n.kind, n.size_bytes, n.modified_at,
  n.created_at, n.mark, n.content_rev, n.checksums`;

/** A statement whose answers are fetched ahead, and how to fetch many at once: each question is a
 *  row of `v`, whose columns are the values that begin each row of the answer. */
interface Kind {
  readonly name: StatementName;
  /** The types of a question's values. */
  readonly types: readonly string[];
  readonly columns: string;
  readonly from: string;
}

const KINDS: readonly Kind[] = [
  {
    name: 'getChild', types: ['BIGINT', 'BIGINT', 'VARCHAR(512)'], columns: NODE,
    from: 'node n ON n.space_id = v.v0 AND n.parent_id = v.v1 AND n.canon = v.v2',
  },
  {
    name: 'getNode', types: ['BIGINT', 'BIGINT'], columns: NODE,
    from: 'node n ON n.space_id = v.v0 AND n.id = v.v1',
  },
  {
    name: 'findGrantAt', types: ['BIGINT', 'BIGINT', 'SMALLINT', 'VARCHAR(255)'],
    columns: GRANT_COLUMNS,
    from: `access_grant g ON g.space_id = v.v0 AND g.node_id = v.v1 AND g.subject_kind = v.v2
      AND g.subject = v.v3 LEFT JOIN grant_count c ON c.grant_id = g.id`,
  },
];

/** The questions are one value, as JSON: so one text does for any number of them. */
function textOf({ name, types, columns, from }: Kind): string {
  const values = types.map((_, at) => `j.v${at}`).join(', ');
  const read = types.map((type, at) => `v${at} ${type} PATH '$[${at}]'`).join(', ');
  const sql = `SELECT ${values.replaceAll('j.', 'v.')}, ${columns}
    FROM (SELECT ${values} FROM JSON_TABLE(?, '$[*]' COLUMNS (${read})) j) v
    STRAIGHT_JOIN ${from}`.replaceAll(/\s+/g, ' ');
  return registry.enter(`${name}Ahead`, sql, ownerOf(WRITER_OWNER, name)).text;
}

const TEXTS: ReadonlyMap<Kind, string> = new Map(KINDS.map((kind) => [kind, textOf(kind)]));

/** All of them: for whoever looks at their plans. */
export function aheadTexts(): string[] {
  return [...TEXTS.values()];
}

/** By the statement that will ask: each question once. */
class Questions {
  readonly #byName = new Map<StatementName, Map<string, SqlValue[]>>();

  add(name: StatementName, values: SqlValue[]): void {
    const questions = this.#byName.get(name) ?? new Map<string, SqlValue[]>();
    this.#byName.set(name, questions.set(JSON.stringify(values), values));
  }

  of(name: StatementName): ReadonlyMap<string, SqlValue[]> {
    return this.#byName.get(name) ?? new Map<string, SqlValue[]>();
  }
}

interface Place {
  spaceId: SpaceId;
  parentId: number;
  name: Name;
}

/** Where a change puts something. */
function placeOf(change: WriterChange): Place | undefined {
  switch (change.op) {
    case 'put-file':
    case 'make-folder':
    case 'mount': return change;
    case 'move':
    case 'copy': {
      const { spaceId, toSpaceId = spaceId, toParentId: parentId, toName: name } = change;
      return { spaceId: toSpaceId, parentId, name };
    }
    case 'restore': {
      const { spaceId, toParentId: parentId, toName: name } = change;
      return { spaceId, parentId, name };
    }
    default: return undefined;
  }
}

function questionsOf(
  changes: readonly WriterChange[], policies: ReadonlyMap<SpaceId, CasePolicy>,
): Questions {
  const questions = new Questions();
  for (const change of changes) {
    const place = placeOf(change);
    const casePolicy = place && policies.get(place.spaceId);
    if (place !== undefined && casePolicy !== undefined) {
      const canon = canonicalName(place.name, casePolicy);
      questions.add('getChild', [place.spaceId, place.parentId, canon]);
    }
    if (!('nodeId' in change) || !('spaceId' in change) || change.op === 'restore') continue;
    const { spaceId, nodeId } = change;
    questions.add('getNode', [spaceId, nodeId]);
    if (change.op !== 'put-grant' || change.subject.kind === 'link') continue;
    const { kind, id } = change.subject;
    questions.add('findGrantAt', [spaceId, nodeId, SUBJECT_KINDS.indexOf(kind), id]);
  }
  return questions;
}

const policiesKnown = new Map<SpaceId, CasePolicy>();
const POLICIES_MAX = 10_000;

/** How names are compared in a space never changes, so it is asked for once. Answers whether
 *  anything was learned. */
export function learnPolicies(
  statements: LineStatements, changes: readonly WriterChange[],
): boolean {
  let hasLearned = false;
  for (const change of changes) {
    const spaceId = placeOf(change)?.spaceId;
    if (spaceId === undefined || policiesKnown.has(spaceId)) continue;
    const row = statements.sql.getSpace.get(spaceId) as unknown[] | undefined;
    if (row === undefined) continue;
    if (policiesKnown.size >= POLICIES_MAX) policiesKnown.clear();
    policiesKnown.set(spaceId, row[4] as CasePolicy);
    hasLearned = true;
  }
  return hasLearned;
}

/** Questions of one kind that go with one statement. */
interface Asked {
  kind: Kind;
  questions: readonly SqlValue[][];
  step: Step;
}

function askedOf(kind: Kind, questions: readonly SqlValue[][]): Asked[] {
  const [only] = questions;
  if (only === undefined) return [];
  if (questions.length === 1) {
    return [{ kind, questions, step: { text: WRITER_STATEMENTS[kind.name].text, values: only } }];
  }
  const step = { text: TEXTS.get(kind) ?? '', values: [JSON.stringify(questions)] };
  return [{ kind, questions, step }];
}

/** What to ask together with the turn, and what to do with the answers. Places in spaces that were
 *  not met yet are not among it: see learnPolicies. */
export class FetchAhead {
  readonly #asked: readonly Asked[];

  constructor(changes: readonly WriterChange[]) {
    const questions = questionsOf(changes, policiesKnown);
    this.#asked = KINDS.flatMap((kind) =>
      askedOf(kind, [...questions.of(kind.name).values()]));
  }

  get steps(): Step[] {
    return this.#asked.map(({ step }) => step);
  }

  /** `answers` are those to `steps`. */
  note(statements: LineStatements, answers: readonly Answer[]): void {
    for (const [at, { kind: { name, types }, questions }] of this.#asked.entries()) {
      const rows = answers[at]?.rows ?? [];
      const width = types.length;
      const [only] = questions;
      if (questions.length === 1 && only !== undefined) {
        statements.remember(name, only, rows);
        continue;
      }
      const found = new Map(rows.map((row) =>
        [JSON.stringify(row.slice(0, width)), [row.slice(width)]]));
      for (const values of questions) {
        statements.remember(name, values, found.get(JSON.stringify(values)) ?? []);
      }
    }
  }
}
