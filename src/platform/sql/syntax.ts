/** What a statement of our subset of SQL is made of, as far as the guard has to know. */

export interface Expression {
  /** `operator`: comparisons, AND, OR, NOT, arithmetic; `call`: functions, CASE and CAST too. */
  readonly kind:
    'literal' | 'place' | 'column' | 'operator' | 'call' | 'list' | 'query' | 'any';
  /** The operator, the function, the column; of a literal its text as written. */
  readonly word: string;
  /** Of a column: the table's name in this statement, or nothing. */
  readonly of: string;
  readonly parts: readonly Expression[];
  readonly query?: Query;
}

export interface Source {
  /** The table; nothing for rows that the statement itself makes. */
  readonly table: string;
  /** By what the rest of the statement calls it. */
  readonly alias: string;
  readonly query?: Query;
  readonly on?: Expression;
  /** Joined so that its rows may be missing. */
  readonly isOptional: boolean;
}

export interface Select {
  readonly columns: readonly Expression[];
  readonly sources: readonly Source[];
  readonly where?: Expression;
  readonly having?: Expression;
}

export interface Query {
  /** One, or several with UNION between them. */
  readonly selects: readonly Select[];
  readonly named: readonly { readonly name: string; readonly query: Query }[];
}

export interface Assignment {
  readonly column: Expression;
  readonly value: Expression;
}

export type Statement =
  | { readonly kind: 'read'; readonly query: Query }
  | {
    readonly kind: 'insert'; readonly table: string;
    readonly tuples: readonly (readonly Expression[])[];
    readonly query?: Query;
    readonly onDuplicate: readonly Assignment[];
    /** Rows that stand in the way go, whatever they are. */
    readonly isReplacing?: boolean;
  }
  | {
    readonly kind: 'update'; readonly sources: readonly Source[];
    readonly assignments: readonly Assignment[];
    readonly where?: Expression; readonly limit?: number;
  }
  | {
    readonly kind: 'delete'; readonly targets: readonly string[];
    readonly sources: readonly Source[];
    readonly where?: Expression; readonly limit?: number;
  }
  /** Ends of transactions and settings of a session. */
  | { readonly kind: 'session' };

export function expression(
  kind: Expression['kind'], word: string, parts: readonly Expression[] = [],
): Expression {
  return { kind, word, of: '', parts };
}

/** All that an expression is made of, itself first; not what lies in its queries. */
export function* within(top: Expression): Generator<Expression> {
  yield top;
  for (const part of top.parts) yield* within(part);
}

/** In one form, so that two that mean the same thing are the same text. */
export function textOf({ kind, word, of, parts }: Expression): string {
  const own = kind === 'column' ? `${of}.${word}`.toLowerCase() : word;
  return parts.length === 0 ? own : `${own}(${parts.map(textOf).join(',')})`;
}
